// nacre retention show, set, confirm-clock; nacre prune, nacre compact
#include <fmt/format.h>

#include <optional>

#include "base/units.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"
#include "cli/text.h"

namespace nacre::cli {
namespace {

constexpr double kDayNs = 86400e9;

struct Arguments {
  std::string place;
  std::optional<std::string> keep;
  std::optional<std::string> budget;
  std::optional<std::string> before;
  bool json = false;
};

// "80" or "80%".
Result<uint64_t> parse_percent(const std::string& text) {
  std::string digits = text;
  if (digits.ends_with('%')) digits.pop_back();
  const bool plain = !digits.empty() && digits.size() <= 3 &&
                     digits.find_first_not_of("0123456789") == std::string::npos;
  if (!plain || std::stoi(digits) > 100) {
    return Error(Code::kInvalid, fmt::format("'{}' is no percentage from 0 to 100", text));
  }
  return static_cast<uint64_t>(std::stoi(digits));
}

void print_policy(const node::Json& policy) {
  fmt::print("keep    {:.4g} days at least, and longer while there is room\n",
             static_cast<double>(number(policy, "keep_ns")) / kDayNs);
  fmt::print("budget  {} % of the capacity for history and garbage\n",
             cell(policy, "budget_percent"));
  fmt::print("oldest  {} (sequence {})\n", time_cell(policy, "oldest_time"),
             cell(policy, "oldest"));
  if (flag(policy, "clock_suspect")) {
    fmt::print(
        "paused  the clock leapt forward: if it is right now, `nacre retention "
        "confirm-clock`\n");
  }
}

Status run(const Arguments& given, const node::Request& request, bool changes) {
  Watcher watcher;
  const node::Json policy = TRY(ask(TRY(find_volume(given.place)), request, watcher, changes));
  if (given.json) {
    print_json(policy);
  } else {
    print_policy(policy);
  }
  return {};
}

Status set(const Arguments& given) {
  node::Json arguments = node::Json::object();
  if (given.keep) arguments["keep_ns"] = TRY(parse_duration(*given.keep));
  if (given.budget) arguments["budget_percent"] = TRY(parse_percent(*given.budget));
  return run(given, {"retention_set", arguments}, true);
}

Status prune(const Arguments& given) {
  node::Json arguments = node::Json::object();
  if (given.before) arguments["before"] = *given.before;
  Watcher watcher;
  const node::Json answer =
      TRY(ask(TRY(find_volume(given.place)), {"prune", arguments}, watcher, true));
  if (given.json) {
    print_json(answer);
  } else {
    fmt::print("dropped {} past rows, {} are kept by snapshots; history begins at sequence {}\n",
               cell(answer, "dropped"), cell(answer, "pinned"), cell(answer, "floor"));
  }
  return {};
}

Status compact(const Arguments& given) {
  Watcher watcher;
  const node::Json answer = TRY(ask(TRY(find_volume(given.place)), {"compact"}, watcher, true));
  if (given.json) {
    print_json(answer);
  } else {
    fmt::print("rewrote {} into {}; {} came free, and {} on devices\n",
               cell(answer, "blocks_freed") + " blocks", size_cell(answer, "bytes_written"),
               size_cell(answer, "bytes_freed"), size_cell(answer, "bytes_cleaned"));
  }
  return {};
}

CLI::App& add(CLI::App& parent, const char* name, const char* what,
              const std::shared_ptr<Arguments>& given, int& exit_code,
              Status (*body)(const Arguments&)) {
  CLI::App& command = *parent.add_subcommand(name, what);
  command.add_option("DIR|MOUNTPOINT", given->place, "Of the volume")->required();
  command.add_flag("--json", given->json, "For scripts");
  on_command(command, exit_code, [given, body] { return body(*given); });
  return command;
}

}  // namespace

void add_retention(CLI::App& program, int& exit_code) {
  CLI::App& retention = *program.add_subcommand("retention", "How long history is kept");
  retention.require_subcommand(1);
  retention.footer(
      "Examples:\n"
      "  nacre retention show /mnt\n"
      "  nacre retention set /mnt --keep 90d --budget 60");
  const auto given = std::make_shared<Arguments>();
  add(retention, "show", "Show the policy and where history begins", given, exit_code,
      [](const Arguments& arguments) { return run(arguments, {"retention_show"}, false); })
      .footer("Example:\n  nacre retention show /mnt");
  CLI::App& change = add(retention, "set", "Change the policy", given, exit_code, set);
  change.add_option("--keep", given->keep,
                    "Younger history stays while the disk has its reserve: 30d, 12h, '2 weeks'");
  change.add_option("--budget", given->budget,
                    "Percent of the capacity that history and garbage may take");
  change.footer("Example:\n  nacre retention set /mnt --keep 90d --budget 60");
  add(retention, "confirm-clock", "Say that the clock is right after it leapt", given, exit_code,
      [](const Arguments& arguments) { return run(arguments, {"confirm_clock"}, true); })
      .footer("Example:\n  nacre retention confirm-clock /mnt");
}

void add_prune(CLI::App& program, int& exit_code) {
  const auto given = std::make_shared<Arguments>();
  CLI::App& command = add(program, "prune", "Drop history that the policy no longer keeps", given,
                          exit_code, prune);
  command.add_option("--before", given->before,
                     "Drop everything older than this moment instead; snapshots stay");
  command.footer(
      "Examples:\n"
      "  nacre prune /srv/vol\n"
      "  nacre prune /mnt --before '1 week ago'");
}

void add_compact(CLI::App& program, int& exit_code) {
  const auto given = std::make_shared<Arguments>();
  add(program, "compact", "Give back space that is taken by what nobody needs, now", given,
      exit_code, compact)
      .footer("This happens by itself, little by little.\n\nExample:\n  nacre compact /mnt");
}

}  // namespace nacre::cli
