// nacre restore
#include <fmt/format.h>

#include <optional>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"
#include "cli/text.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::string path;
  std::optional<std::string> at;
  std::optional<uint64_t> version;
  std::optional<std::string> to;
  bool force = false;
  bool json = false;
};

// A place in the same volume is the service's to fill; any other is reached by its path on the
// host. True for the latter.
Result<bool> add_destination(const std::string& to, const Target& source, node::Json& arguments) {
  const auto target = find_target(to);
  if (target.ok() && target->volume == source.volume) {
    arguments["to"] = node::json_of_bytes(target->path);
    arguments["to_mountpoints"] = target->mountpoints;
    return false;
  }
  arguments["to_host"] = node::json_of_bytes(TRY(absolute_path(to, LastName::kKeep)));
  return true;
}

// `place` is where the files went, in the user's own words.
void print_answer(const node::Json& answer, const std::string& place) {
  for (const node::Json& warning : part(answer, "warnings")) {
    if (warning.is_string()) print_warning("not kept: " + warning.get<std::string>());
  }
  const uint64_t files = number(answer, "restored");
  fmt::print("restored {}{} as of sequence {}\n", printable(place),
             files == 1 ? "" : fmt::format(", {} files and directories,", files),
             cell(answer, "at"));
}

Status restore(const Arguments& given) {
  const Target target = TRY(find_target(given.path));
  node::Json arguments = {{"path", node::json_of_bytes(target.path)},
                          {"mountpoints", target.mountpoints},
                          {"force", given.force}};
  if (given.at) arguments["at"] = *given.at;
  if (given.version) arguments["version"] = *given.version;
  bool changes = true;
  if (given.to) changes = !TRY(add_destination(*given.to, target, arguments));
  Watcher watcher;
  node::Json answer = TRY(ask(target.volume, {"restore", arguments}, watcher, changes));
  const std::string place = given.to.value_or(given.path);
  if (given.json) {
    answer["to"] = node::json_of_bytes(TRY(absolute_path(place, LastName::kKeep)));
    print_json(answer);
  } else {
    print_answer(answer, place);
  }
  return {};
}

}  // namespace

void add_restore(CLI::App& program, int& exit_code) {
  CLI::App& command =
      *program.add_subcommand("restore", "Bring a file or a directory tree back as it was");
  const auto given = std::make_shared<Arguments>();
  add_path(command, given->path);
  auto* at = command.add_option("--at", given->at,
                                "A time, '2 hours ago', a sequence or a snapshot's name");
  command.add_option("--version", given->version, "A number that `nacre history` shows")
      ->excludes(at);
  command.add_option("--to", given->to, "Where to, in the volume or out of it; default: its place");
  command.add_flag("--force", given->force, "Replace what is in the way");
  command.add_flag("--json", given->json, "For scripts");
  command.footer(
      "In its place, a file's old content is laid over the present one, which stays in history;\n"
      "files of a directory that came later stay. Within the volume no data is moved.\n\n"
      "Examples:\n"
      "  nacre restore /mnt/report.txt --version 3\n"
      "  nacre restore /mnt/projects --at '2 hours ago' --to /mnt/projects.old\n"
      "  nacre restore /mnt/report.txt --at before-upgrade --to /tmp/report.txt");
  on_command(command, exit_code, [given] { return restore(*given); });
}

}  // namespace nacre::cli
