#include "cli_bench/command.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli_bench/bench.h"
#include "cli_bench/report.h"

namespace nacre::cli::bench {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitInterrupted = 130;

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

// Turns the first SIGINT, SIGTERM or SIGHUP into `interrupted`; the second one kills. What was
// installed before comes back at the end.
class Interruption {
 public:
  Interruption() {
    interrupted = false;
    struct sigaction action = {};
    action.sa_handler = [](int) { interrupted = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (Saved& saved : saved_) ::sigaction(saved.signal, &action, &saved.before);
  }
  ~Interruption() {
    for (const Saved& saved : saved_) ::sigaction(saved.signal, &saved.before, nullptr);
  }

 private:
  struct Saved {
    int signal;
    struct sigaction before = {};
  };
  Saved saved_[3] = {{SIGINT}, {SIGTERM}, {SIGHUP}};
};

struct Arguments {
  std::string directory;
  std::string size = "256MiB";
  bool json = false;
  Options options;
};

void show_progress(const Step& step) {
  fmt::print(stderr, "\r\x1b[K[{}/{}] {}: {}", step.index + 1, step.rows, step.title,
             step.measuring ? "measuring" : "preparing");
  std::fflush(stderr);
}

Result<std::vector<Row>> run_shown(Arguments& arguments) {
  arguments.options.size_bytes = TRY(parse_size(arguments.size));
  arguments.options.stop = &interrupted;
  if (::isatty(STDERR_FILENO) == 0) return run(arguments.directory, arguments.options, {});
  auto rows = run(arguments.directory, arguments.options, show_progress);
  fmt::print(stderr, "\r\x1b[K");
  return rows;
}

int run_command(Arguments& arguments) {
  const Interruption interruption;
  const auto rows = run_shown(arguments);
  if (!rows.ok()) {
    fmt::print(stderr, "nacre bench: {}\n", rows.error().to_string());
    return interrupted ? kExitInterrupted : kExitFailed;
  }
  fmt::print("{}", arguments.json ? to_json(arguments.directory, arguments.options, *rows)
                                  : format_table(*rows));
  return 0;
}

std::string list_of_rows() {
  std::string list = "Rows:\n";
  for (const Row& row : all_rows()) list += fmt::format("  {:<16} {}\n", row.name, row.includes);
  return list;
}

}  // namespace

void add_command(CLI::App& parent, int& exit_code) {
  const auto arguments = std::make_shared<Arguments>();
  Options& options = arguments->options;
  CLI::App* bench = parent.add_subcommand("bench", "Measure how fast a directory is");
  bench->add_option("dir", arguments->directory, "Directory to work in; it is left as it was")
      ->required();
  bench->add_flag("--json", arguments->json, "Print JSON instead of a table");
  bench->add_option("--files", options.files, "Operations of each row on names and small files")
      ->capture_default_str();
  bench->add_option("--size", arguments->size, "Length of the large file")->capture_default_str();
  bench->add_option("--threads", options.threads, "Threads of create_parallel")
      ->capture_default_str();
  bench->add_option("--only", options.only, "Only these rows")->delimiter(',');
  bench->add_option("--seed", options.seed, "Of random order and content")->capture_default_str();
  bench->add_option("--cold-command", options.cold_command,
                    "Shell command run before each cold row, for example to mount anew");
  bench->footer(list_of_rows());
  bench->callback([arguments, &exit_code] { exit_code = run_command(*arguments); });
}

}  // namespace nacre::cli::bench
