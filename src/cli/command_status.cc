// nacre status
#include <fmt/format.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"
#include "node/mount_info.h"

namespace nacre::cli {

namespace {

std::string size_of(const node::Json& object, const char* field) {
  return format_size(object.value(field, uint64_t{0}));
}

void print_line(const char* name, const std::string& value) {
  fmt::print("{:<12} {}\n", name, value);
}

void print_status(const node::Json& status) {
  const node::Json& space = status.at("space");
  print_line("volume", name_from(status.at("volume")));
  print_line("id", cell(status, "id"));
  print_line("created", local_time(cell(status, "created")));
  print_line("blocks", format_size(status.at("block_size").get<uint64_t>()) + ", compression " +
                           cell(status, "compression"));
  print_line("capacity", size_of(space, "capacity_bytes"));
  print_line("used", fmt::format("{} ({} now, {} history, {} rows)", size_of(space, "used_bytes"),
                                 size_of(space, "live_bytes"), size_of(space, "history_bytes"),
                                 size_of(space, "rows_bytes")));
  print_line("available", size_of(space, "available_bytes"));
  print_line("inodes", cell(space, "inodes"));
  print_line("committed", fmt::format("sequence {}, {}", cell(status.at("committed"), "sequence"),
                                      local_time(cell(status.at("committed"), "time"))));
  print_line("history", "since " + local_time(cell(status.at("history"), "oldest_time")) + ", " +
                            cell(status, "snapshots") + " snapshots");
  if (status.at("history").value("clock_suspect", false)) {
    print_line("", "pruning waits: the clock leapt; see `nacre retention confirm-clock`");
  }
  for (const node::Json& mount : status.at("mounts")) {
    const std::string at = mount.at("at").is_null() ? "" : " as of sequence " + cell(mount, "at");
    print_line("mounted", name_from(mount.at("mountpoint")) + at +
                              (mount.value("read_only", false) ? ", read-only" : ""));
  }
  for (const node::Json& problem : status.at("superblock_problems")) {
    print_line("problem", printable(problem.get<std::string>()));
  }
  Table devices({"DEVICE", "KIND", "CAPACITY", "USED", "LIVE", "FREE", "ERRORS"});
  for (const node::Json& device : status.at("devices")) {
    const uint64_t errors =
        device.value("corrupt_reads", uint64_t{0}) + device.value("io_errors", uint64_t{0});
    devices.add({name_from(device.at("path")), cell(device, "kind"),
                 size_of(device, "capacity_bytes"), size_of(device, "used_bytes"),
                 size_of(device, "live_bytes"), size_of(device, "free_bytes"),
                 device.value("failed", false) ? "failed" : std::to_string(errors)});
  }
  fmt::print("\n");
  devices.print();
}

// Without an argument: every mounted volume, one line each.
Status list_mounts(bool json) {
  node::Json list = node::Json::array();
  Table table({"VOLUME", "MOUNTPOINT"});
  for (const node::MountInfo& mount : TRY(node::read_mount_table())) {
    if (mount.type != node::kMountType) continue;
    list.push_back({{"volume", node::json_of_bytes(mount.source)},
                    {"mountpoint", node::json_of_bytes(mount.mountpoint)}});
    table.add({printable(mount.source), printable(mount.mountpoint)});
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

}  // namespace

void add_status(CLI::App& program, int& exit_code) {
  CLI::App& command = *program.add_subcommand("status", "Show a volume, or which are mounted");
  auto place = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command.add_option("VOLUME", *place, "Its directory or a mountpoint; none: list what is mounted");
  command.add_flag("--json", *json, "For scripts");
  command.footer("Examples:\n  nacre status\n  nacre status /mnt\n  nacre status /srv/vol --json");
  on_command(command, exit_code, [place, json]() -> Status {
    if (place->empty()) return list_mounts(*json);
    Watcher watcher;
    const node::Json status = TRY(ask(TRY(find_volume(*place)), {"status"}, watcher, true));
    if (*json) {
      print_json(status);
    } else {
      print_status(status);
    }
    return {};
  });
}

}  // namespace nacre::cli
