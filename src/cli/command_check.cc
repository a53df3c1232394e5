// nacre check, nacre flush, nacre forget
#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"

namespace nacre::cli {

namespace {

struct Arguments {
  std::string place;
  bool deep = false;
  bool repair = false;
  bool json = false;
  bool yes = false;
};

Status check(const Arguments& given, int& exit_code) {
  Watcher watcher;
  const node::Json arguments = {{"deep", given.deep}, {"repair", given.repair}};
  node::Json answer = TRY(ask(TRY(find_volume(given.place)), {"check", arguments}, watcher, false));
  watcher.clear();
  const uint64_t problems = answer.value("problems", uint64_t{0});
  const uint64_t repaired = answer.value("repaired", uint64_t{0});
  if (problems > repaired) exit_code = kDamaged;
  if (given.json) {
    answer["findings"] = watcher.items();
    print_json(answer);
    return {};
  }
  for (const node::Json& finding : watcher.items()) {
    fmt::print("{}: {}{}\n", cell(finding, "where"), cell(finding, "what"),
               finding.value("repaired", false) ? " (repaired)" : "");
  }
  if (problems == 0) {
    fmt::print("clean{}\n", given.deep ? ": every byte was read" : "");
  } else {
    fmt::print("{} problems, {} repaired{}\n", problems, repaired,
               problems > repaired && !given.repair
                   ? ": `nacre check --repair` mends what can be mended"
                   : "");
  }
  return {};
}

Status flush(const Arguments& given) {
  Watcher watcher;
  const node::Json answer = TRY(ask(TRY(find_volume(given.place)), {"flush"}, watcher, false));
  if (given.json) {
    print_json(answer);
  } else {
    fmt::print("everything is durable: sequence {}\n", cell(answer, "sequence"));
  }
  return {};
}

Status confirm(const std::string& path) {
  if (::isatty(STDIN_FILENO) == 0) {
    return Error(Code::kInvalid,
                 "forget erases for good and asks first: give --yes where nobody can answer");
  }
  fmt::print("Erase the content of {} from all history, for good? Type yes: ", printable(path));
  std::fflush(stdout);
  char answer[8] = {};
  if (std::fgets(answer, sizeof(answer), stdin) == nullptr || std::string_view(answer) != "yes\n") {
    return Error(Code::kInvalid, "nothing was erased");
  }
  return {};
}

Status forget(const Arguments& given) {
  const Target target = TRY(find_target(given.place));
  if (!given.yes) TRY(confirm(given.place));
  Watcher watcher;
  const node::Json arguments = {{"path", target.path}, {"mountpoints", target.mountpoints}};
  const node::Json answer = TRY(ask(target.volume, {"forget", arguments}, watcher, false));
  watcher.clear();
  if (given.json) {
    print_json(answer);
  } else {
    fmt::print("erased {} past versions of {} files; {} came free\n", cell(answer, "versions"),
               cell(answer, "files"), format_size(answer.value("bytes_freed", uint64_t{0})));
  }
  return {};
}

}  // namespace

void add_check(CLI::App& program, int& exit_code) {
  CLI::App& command = *program.add_subcommand("check", "Verify a whole volume");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("VOLUME", arguments->place, "Its directory or a mountpoint")->required();
  command.add_flag("--deep", arguments->deep, "Read every byte");
  command.add_flag("--repair", arguments->repair, "Mend what can be mended without guessing");
  command.add_flag("--json", arguments->json, "For scripts");
  command.footer(
      "Exit code 4 when problems remain.\nExamples:\n  nacre check /srv/vol\n  nacre check "
      "/srv/vol --deep --repair");
  on_command(command, exit_code, [arguments, &exit_code] { return check(*arguments, exit_code); });
}

void add_flush(CLI::App& program, int& exit_code) {
  CLI::App& command = *program.add_subcommand("flush", "Make everything written so far durable");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("MOUNTPOINT", arguments->place, "Of the volume")->required();
  command.add_flag("--json", arguments->json, "For scripts");
  command.footer("Example:\n  nacre flush /mnt");
  on_command(command, exit_code, [arguments] { return flush(*arguments); });
}

void add_forget(CLI::App& program, int& exit_code) {
  CLI::App& command =
      *program.add_subcommand("forget", "Erase one path's content from all history");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("PATH", arguments->place, "Below a mount, deleted or not; or DIR:PATH")
      ->required();
  command.add_flag("--yes", arguments->yes, "Do not ask");
  command.add_flag("--json", arguments->json, "For scripts");
  command.footer(
      "What the path holds now stays; delete it first if it shall go too.\nExample:\n  nacre "
      "forget /mnt/secret.txt");
  on_command(command, exit_code, [arguments] { return forget(*arguments); });
}

}  // namespace nacre::cli
