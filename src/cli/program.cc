#include <fmt/format.h>

#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <cstring>

#include "cli/bench/command.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace nacre::cli {

namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  nacre volume create /srv/vol            make a volume\n"
    "  nacre mount /srv/vol /mnt               mount it\n"
    "  nacre history /mnt/report.txt           list the versions of a file\n"
    "  nacre restore /mnt/report.txt --at '2 hours ago'\n"
    "  ls /mnt/.nacre/at/yesterday             look at the whole tree as it was\n"
    "  nacre unmount /mnt\n"
    "\n"
    "Exit codes: 0 success, 1 failure, 2 wrong usage, 3 not found, 4 damaged, 5 busy, 6 no space,\n"
    "7 not allowed. More in nacre(1).";

// mount(8) and fstab call a helper as `HELPER SOURCE MOUNTPOINT [-o OPTIONS] ...`: that means
// `mount`.
bool is_mount_helper_call(int count, char** words, const CLI::App& program) {
  if (count < 3 || words[1][0] == '-') return false;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->check_name(words[1])) return false;
  }
  return std::strchr(words[1], '/') != nullptr && std::strchr(words[2], '/') != nullptr;
}

}  // namespace

void on_command(CLI::App& command, int& exit_code, std::function<Status()> body) {
  command.callback([&exit_code, body = std::move(body)] {
    const Status status = body();
    if (status.ok()) return;
    print_error(status.error());
    exit_code = exit_code_of(status.code());
  });
}

int run_program(int count, char** words) {
  int exit_code = kSuccess;
  CLI::App program("Nacre: a versioned, crash-safe, checksummed file system.", "nacre");
  program.set_version_flag("--version", "nacre " NACRE_VERSION);
  program.require_subcommand(1);
  program.footer(kFooter);
  add_volume(program, exit_code);
  add_mount(program, exit_code);
  add_unmount(program, exit_code);
  add_status(program, exit_code);
  add_history(program, exit_code);
  add_restore(program, exit_code);
  add_snapshot(program, exit_code);
  add_retention(program, exit_code);
  add_prune(program, exit_code);
  add_check(program, exit_code);
  add_flush(program, exit_code);
  add_forget(program, exit_code);
  bench::add_command(program, exit_code);
  add_completion(program, exit_code);
  std::vector<std::string> arguments(words + 1, words + count);
  if (is_mount_helper_call(count, words, program)) arguments.insert(arguments.begin(), "mount");
  std::reverse(arguments.begin(), arguments.end());
  try {
    program.parse(arguments);
  } catch (const CLI::ParseError& wrong) {
    return program.exit(wrong) == 0 ? kSuccess : kUsage;
  } catch (const std::exception& unexpected) {
    print_error(Error(Code::kIo, unexpected.what()));
    return kFailure;
  }
  return exit_code;
}

}  // namespace nacre::cli
