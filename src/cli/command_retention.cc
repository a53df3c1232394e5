// nacre retention show, set, confirm-clock; nacre prune
#include <charconv>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"
#include "meta/moments.h"

namespace nacre::cli {

namespace {

constexpr double kDayNs = 86400e9;

struct Arguments {
  std::string place;
  std::string keep;
  int budget = -1;
  std::string before;
  bool json = false;
};

// "30d", "12 hours": as in "12 hours ago".
Result<uint64_t> parse_span(const std::string& text) {
  const Timestamp now{int64_t{1} << 62};
  const auto when = meta::parse_when(text + " ago", now);
  if (!when.ok() || when->kind != meta::When::Kind::kTime || when->time > now) {
    return Error(Code::kInvalid,
                 "'" + text + "' is no length of time: write for example 30d or '12 hours'");
  }
  return static_cast<uint64_t>(now.ns - when->time.ns);
}

Status show(const node::Json& policy, bool json) {
  if (json) {
    print_json(policy);
    return {};
  }
  fmt::print("keep     {:.4g} days, longer while there is room\n",
             static_cast<double>(policy.at("keep_ns").get<uint64_t>()) / kDayNs);
  fmt::print("budget   {} % of the capacity for history and garbage\n",
             cell(policy, "budget_percent"));
  fmt::print("oldest   {} (sequence {})\n", local_time(cell(policy, "oldest_time")),
             cell(policy, "oldest"));
  if (policy.value("clock_suspect", false)) {
    fmt::print(
        "paused   the clock leapt forward: `nacre retention confirm-clock` if it is right now\n");
  }
  return {};
}

Status run(const Arguments& given, const node::Request& request, bool read_only) {
  Watcher watcher;
  return show(TRY(ask(TRY(find_volume(given.place)), request, watcher, read_only)), given.json);
}

Status set(const Arguments& given) {
  node::Json arguments = node::Json::object();
  if (!given.keep.empty()) arguments["keep_ns"] = TRY(parse_span(given.keep));
  if (given.budget >= 0) arguments["budget_percent"] = given.budget;
  return run(given, {"retention_set", arguments}, false);
}

Status prune(const Arguments& given) {
  node::Json arguments = node::Json::object();
  if (!given.before.empty()) arguments["before"] = given.before;
  Watcher watcher;
  const node::Json answer =
      TRY(ask(TRY(find_volume(given.place)), {"prune", arguments}, watcher, false));
  watcher.clear();
  if (given.json) {
    print_json(answer);
  } else {
    fmt::print("dropped {} past rows; {} are kept by snapshots; history begins at sequence {}\n",
               cell(answer, "dropped"), cell(answer, "pinned"), cell(answer, "floor"));
  }
  return {};
}

CLI::App& add(CLI::App& parent, const char* name, const char* what,
              const std::shared_ptr<Arguments>& arguments, int& exit_code,
              std::function<Status()> body) {
  CLI::App& command = *parent.add_subcommand(name, what);
  command.add_option("VOLUME", arguments->place, "Its directory or a mountpoint")->required();
  command.add_flag("--json", arguments->json, "For scripts");
  on_command(command, exit_code, std::move(body));
  return command;
}

}  // namespace

void add_retention(CLI::App& program, int& exit_code) {
  CLI::App& retention = *program.add_subcommand("retention", "How long history is kept");
  retention.require_subcommand(1);
  auto arguments = std::make_shared<Arguments>();
  add(retention, "show", "Show the policy and where history begins", arguments, exit_code,
      [arguments] { return run(*arguments, {"retention_show"}, true); });
  CLI::App& change = add(retention, "set", "Change the policy", arguments, exit_code,
                         [arguments] { return set(*arguments); });
  change.add_option("--keep", arguments->keep,
                    "History younger than this is kept while the disk has its reserve");
  change.add_option("--budget", arguments->budget, "Percent of the capacity that history may take")
      ->check(CLI::Range(0, 100));
  change.footer("Example:\n  nacre retention set /mnt --keep 90d --budget 60");
  add(retention, "confirm-clock", "Say that the clock is right after it leapt", arguments,
      exit_code, [arguments] { return run(*arguments, {"confirm_clock"}, false); });
}

void add_prune(CLI::App& program, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = add(program, "prune", "Drop history that the policy no longer keeps",
                          arguments, exit_code, [arguments] { return prune(*arguments); });
  command.add_option("--before", arguments->before,
                     "Drop everything older than this moment instead");
  command.footer("Examples:\n  nacre prune /srv/vol\n  nacre prune /mnt --before '1 week ago'");
}

}  // namespace nacre::cli
