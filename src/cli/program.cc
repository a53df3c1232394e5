#include "cli/program.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "cli/bench/command.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/text.h"

namespace nacre::cli {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  nacre volume create /srv/vol                      make a volume\n"
    "  nacre mount /srv/vol /mnt                         mount it\n"
    "  nacre history /mnt/report.txt                     list the versions of a file\n"
    "  nacre restore /mnt/report.txt --at '2 hours ago'  bring one back\n"
    "  ls /mnt/.nacre/at/yesterday                       look at the whole tree as it was\n"
    "  nacre unmount /mnt\n"
    "\n"
    "WHEN is a time (2026-03-01, 2026-03-01T12:30, '2 hours ago'), a sequence number or the name "
    "of\n"
    "a snapshot. Exit codes: 0 success, 1 failure, 2 wrong usage, 3 not found, 4 damaged, 5 busy,\n"
    "6 no space, 7 not allowed, 8 newer format, 9 something is in the way, 10 out of reach. More "
    "in\n"
    "nacre(1).";

bool is_command(const CLI::App& program, const std::string& word) {
  const auto commands = program.get_subcommands([](const CLI::App*) { return true; });
  return std::ranges::any_of(commands,
                             [&](const CLI::App* command) { return command->check_name(word); });
}

bool looks_like_path(const std::string& word) {
  if (word.empty() || word.front() == '-') return false;
  struct stat status = {};
  return word.contains('/') || ::stat(word.c_str(), &status) == 0;
}

// The command line as the kernel shows it to others.
std::vector<char*>& shown_words() {
  static std::vector<char*> words;
  return words;
}

// What is wrong with the words given, in one line.
std::string usage_message(const CLI::App* program, const CLI::Error& wrong) {
  const CLI::App* command = program;
  std::string name = program->get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  std::string what = wrong.what();
  const bool lacks_command = dynamic_cast<const CLI::RequiredError*>(&wrong) != nullptr &&
                             command->get_require_subcommand_min() > 0;
  const std::vector<std::string> words = command->remaining();
  if (lacks_command && words.empty()) what = "a command is missing";
  if (lacks_command && !words.empty()) {
    what = fmt::format("there is no command '{}'", printable(words.front()));
  }
  return fmt::format("nacre: {}; see {} --help\n", what, name);
}

}  // namespace

void on_command(CLI::App& command, int& exit_code, std::function<Status()> body) {
  command.callback([&exit_code, body = std::move(body)] {
    const Status status = body();
    if (status.ok()) return;
    std::fflush(stdout);
    print_error(status.error());
    exit_code = exit_code_of(status.code());
  });
}

void add_path(CLI::App& command, std::string& path) {
  command
      .add_option("PATH", path,
                  "Below a mount, deleted or not; or DIR:PATH where nothing is mounted")
      ->required();
}

std::vector<std::string> with_command(const CLI::App& program, std::vector<std::string> arguments) {
  const bool helper_call = arguments.size() >= 2 && !is_command(program, arguments[0]) &&
                           looks_like_path(arguments[0]) && looks_like_path(arguments[1]);
  if (helper_call) arguments.insert(arguments.begin(), "mount");
  return arguments;
}

std::unique_ptr<CLI::App> make_program(int& exit_code) {
  auto program = std::make_unique<CLI::App>(
      "Nacre: a versioned, crash-safe, checksummed file system.", "nacre");
  program->set_version_flag("--version", "nacre " NACRE_VERSION);
  program->require_subcommand(1);
  program->footer(kFooter);
  program->failure_message(usage_message);
  add_volume(*program, exit_code);
  add_mount(*program, exit_code);
  add_unmount(*program, exit_code);
  add_status(*program, exit_code);
  add_history(*program, exit_code);
  add_restore(*program, exit_code);
  add_snapshot(*program, exit_code);
  add_retention(*program, exit_code);
  add_prune(*program, exit_code);
  add_compact(*program, exit_code);
  add_tier(*program, exit_code);
  add_check(*program, exit_code);
  add_flush(*program, exit_code);
  add_forget(*program, exit_code);
  add_node(*program, exit_code);
  add_device(*program, exit_code);
  add_objects(*program, exit_code);
  add_corrupt(*program, exit_code);
  add_cluster(*program, exit_code);
  bench::add_command(*program, exit_code);
  add_completion(*program, exit_code);
  return program;
}

void conceal_argument(const std::string& word) {
  for (char* const shown : shown_words()) {
    if (!word.empty() && shown == word) std::ranges::fill(shown, shown + word.size(), 'x');
  }
}

int run_program(int count, char** words) {
  shown_words().assign(words, words + count);
  int exit_code = kSuccess;
  const auto program = make_program(exit_code);
  std::vector<std::string> arguments =
      with_command(*program, std::vector<std::string>(words + 1, words + count));
  std::ranges::reverse(arguments);  // as the parser wants them
  try {
    program->parse(arguments);
  } catch (const CLI::ParseError& wrong) {
    return program->exit(wrong) == 0 ? kSuccess : kUsage;
  } catch (const std::exception& unexpected) {
    print_error(Error(Code::kIo, unexpected.what()));
    return kFailure;
  }
  // What a script was to read may not have reached it: a full disk, a closed pipe.
  if (std::fflush(stdout) != 0 && exit_code == kSuccess) {
    print_error(Error(Code::kIo, "standard output could not be written"));
    return kFailure;
  }
  return exit_code;
}

}  // namespace nacre::cli
