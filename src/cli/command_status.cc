// nacre status
#include <fmt/format.h>

#include "base/units.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/target.h"
#include "cli/text.h"
#include "node/mount_info.h"

namespace nacre::cli {
namespace {

using Align = Column::Align;

void print_line(const char* name, const std::string& value) {
  fmt::print("{:<11} {}\n", name, value);
}

void print_space(const node::Json& space) {
  print_line("capacity", size_cell(space, "capacity_bytes"));
  print_line("used",
             fmt::format("{}: {} for the present, {} for history, {} for rows",
                         size_cell(space, "used_bytes"), size_cell(space, "live_bytes"),
                         size_cell(space, "history_bytes"), size_cell(space, "rows_bytes")));
  if (space.contains("referenced_bytes")) {
    const uint64_t blocks = number(space, "live_bytes") + number(space, "history_bytes");
    print_line("stored once",
               fmt::format("{} of content and history in {}", size_cell(space, "referenced_bytes"),
                           format_size(blocks)));
  }
  print_line("available",
             size_cell(space, "available_bytes") + " for new data, history given up included");
  print_line("inodes", cell(space, "inodes"));
}

void print_bucket(const node::Json& bucket) {
  if (bucket.empty()) return;
  const std::string trouble = cell(bucket, "trouble");
  print_line("bucket", cell(bucket, "name") + (trouble.empty() ? "" : "; waits: " + trouble));
}

void print_history(const node::Json& status) {
  const node::Json& history = part(status, "history");
  print_line("history",
             fmt::format("since {} (sequence {}); {} snapshots", time_cell(history, "oldest_time"),
                         cell(history, "oldest"), cell(status, "snapshots")));
  if (flag(history, "clock_suspect")) {
    print_line("", "pruning waits: the clock leapt, see `nacre retention confirm-clock`");
  }
}

void print_mounts(const node::Json& status) {
  for (const node::Json& mount : part(status, "mounts")) {
    const std::string at = cell(mount, "at");
    print_line("mounted", fmt::format("{}{}{}", cell(mount, "mountpoint"),
                                      at == "-" ? "" : " as of sequence " + at,
                                      flag(mount, "read_only") ? ", read-only" : ""));
  }
  if (part(status, "mounts").empty()) print_line("mounted", "no");
}

void print_trouble(const node::Json& status) {
  for (const node::Json& problem : part(status, "superblock_problems")) {
    print_line("problem", printable(problem.is_string() ? problem.get<std::string>() : ""));
  }
  const node::Json& errors = part(status, "errors");
  if (number(errors, "corrupt") + number(errors, "io") > 0) {
    print_line("errors",
               fmt::format("{} reads failed their checksum, {} operations were refused by "
                           "the machine; see `nacre check --deep`",
                           cell(errors, "corrupt"), cell(errors, "io")));
  }
  const std::string upkeep = cell(part(status, "keeper"), "last_error");
  if (upkeep != "-" && !upkeep.empty()) print_line("upkeep", "last failed: " + upkeep);
}

void print_devices(const node::Json& devices) {
  Table table({{"DEVICE"},
               {"KIND"},
               {"CAPACITY", Align::kRight},
               {"USED", Align::kRight},
               {"LIVE", Align::kRight},
               {"FREE", Align::kRight},
               {"ERRORS", Align::kRight}});
  for (const node::Json& device : devices) {
    const uint64_t errors = number(device, "corrupt_reads") + number(device, "io_errors");
    table.add({cell(device, "path"), cell(device, "kind"), size_cell(device, "capacity_bytes"),
               size_cell(device, "used_bytes"), size_cell(device, "live_bytes"),
               size_cell(device, "free_bytes"),
               flag(device, "failed") ? "failed" : std::to_string(errors)});
  }
  fmt::print("\n");
  table.print();
}

void print_status(const node::Json& status) {
  print_line("volume", cell(status, "volume"));
  print_line("id", cell(status, "id"));
  print_line("created", time_cell(status, "created"));
  print_line("blocks", fmt::format("up to {}, compression {}", size_cell(status, "block_size"),
                                   cell(status, "compression")));
  print_bucket(part(status, "bucket"));
  print_space(part(status, "space"));
  const node::Json& committed = part(status, "committed");
  print_line("committed", fmt::format("{} (sequence {}){}", time_cell(committed, "time"),
                                      cell(committed, "sequence"),
                                      flag(status, "read_only") ? "; open read-only" : ""));
  print_history(status);
  print_mounts(status);
  print_trouble(status);
  print_devices(part(status, "devices"));
}

// Without an argument: every mounted volume, one line each.
Status list_mounts(bool json) {
  node::Json list = node::Json::array();
  Table table({{"VOLUME"}, {"MOUNTPOINT"}, {"ACCESS"}});
  for (const node::MountInfo& mount : TRY(node::read_mount_table())) {
    if (mount.type != node::kMountType) continue;
    list.push_back({{"volume", node::json_of_bytes(mount.source)},
                    {"mountpoint", node::json_of_bytes(mount.mountpoint)},
                    {"read_only", mount.read_only}});
    table.add({printable(mount.source), printable(mount.mountpoint),
               mount.read_only ? "read-only" : "read-write"});
  }
  if (json) {
    print_json(list);
  } else if (list.empty()) {
    fmt::print("no volume is mounted\n");
  } else {
    table.print();
  }
  return {};
}

Status show(const std::string& place, bool json) {
  if (place.empty()) return list_mounts(json);
  Watcher watcher;
  const node::Json status = TRY(ask(TRY(find_volume(place)), {"status"}, watcher, false));
  if (json) {
    print_json(status);
  } else {
    print_status(status);
  }
  return {};
}

}  // namespace

void add_status(CLI::App& program, int& exit_code) {
  CLI::App& command = *program.add_subcommand("status", "Show a volume, or which are mounted");
  const auto place = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command.add_option("DIR|MOUNTPOINT", *place, "Of a volume; without it, lists what is mounted");
  command.add_flag("--json", *json, "For scripts");
  command.footer(
      "Examples:\n"
      "  nacre status\n"
      "  nacre status /mnt\n"
      "  nacre status /srv/vol --json");
  on_command(command, exit_code, [place, json] { return show(*place, *json); });
}

}  // namespace nacre::cli
