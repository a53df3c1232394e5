// nacre restore
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"

namespace nacre::cli {

namespace {

struct Arguments {
  std::string path;
  std::string at;
  uint64_t version = 0;
  std::string to;
  bool force = false;
};

// A place in the same volume is reached by the service, any other by its host path.
Status add_destination(const std::string& to, const Target& source, node::Json& arguments) {
  const auto target = find_target(to);
  if (target.ok() && target->volume == source.volume) {
    arguments["to"] = target->path;
    arguments["to_mountpoints"] = target->mountpoints;
  } else {
    arguments["to_host"] = TRY(absolute_path(to));
  }
  return {};
}

Status restore(const Arguments& given) {
  const Target target = TRY(find_target(given.path));
  node::Json arguments = {{"path", target.path}, {"mountpoints", target.mountpoints}};
  if (!given.at.empty()) arguments["at"] = given.at;
  if (given.version != 0) arguments["version"] = given.version;
  if (given.force) arguments["force"] = true;
  if (!given.to.empty()) TRY(add_destination(given.to, target, arguments));
  Watcher watcher;
  const node::Json answer = TRY(ask(target.volume, {"restore", arguments}, watcher, false));
  watcher.clear();
  for (const node::Json& warning : answer.at("warnings")) {
    fmt::print(stderr, "nacre: {}\n",
               printable(warning.is_string() ? warning.get<std::string>() : warning.dump()));
  }
  fmt::print("restored {} {} as of sequence {}\n", name_from(answer.at("to")),
             answer.at("restored") == 1 ? "" : fmt::format("({} files)", cell(answer, "restored")),
             cell(answer, "at"));
  return {};
}

}  // namespace

void add_restore(CLI::App& program, int& exit_code) {
  CLI::App& command =
      *program.add_subcommand("restore", "Bring a file or a directory back as it was");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("PATH", arguments->path, "Below a mount, deleted or not; or DIR:PATH")
      ->required();
  auto* at = command.add_option("--at", arguments->at,
                                "A time, \"2 hours ago\", a sequence or a snapshot's name");
  command.add_option("--version", arguments->version, "A number that `nacre history` shows")
      ->excludes(at);
  command.add_option("--to", arguments->to, "Where to; default: its own place");
  command.add_flag("--force", arguments->force, "Replace what is there");
  command.footer(
      "Examples:\n"
      "  nacre restore /mnt/report.txt --version 3\n"
      "  nacre restore /mnt/projects --at '2 hours ago' --to /mnt/projects.old\n"
      "  nacre restore /mnt/report.txt --at before-upgrade --to /tmp/report.txt");
  on_command(command, exit_code, [arguments] { return restore(*arguments); });
}

}  // namespace nacre::cli
