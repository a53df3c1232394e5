// nacre device add, list, query, remove
#include <fmt/format.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/node_command.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/target.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::string data;
  std::string device;  // an id or a path
  std::string size;
  bool force = false;
  bool failed = false;
  bool json = false;
};

Status add(const Arguments& given) {
  node::Json arguments = {{"path", node::json_of_bytes(TRY(absolute_path(given.device)))},
                          {"force", given.force}};
  if (!given.size.empty()) arguments["size"] = TRY(parse_size(given.size));
  const node::Json made = TRY(ask_node(given.data, {"device_add", std::move(arguments)}));
  if (given.json) {
    print_json(made);
  } else {
    fmt::print("added device {}, {}\n", cell(made, "id"), size_cell(made, "capacity_bytes"));
  }
  return {};
}

Status list(const Arguments& given) {
  const node::Json answer = TRY(ask_node(given.data, {"device_list"}));
  if (given.json) {
    print_json(part(answer, "devices"));
    return {};
  }
  using enum Column::Align;
  Table table({{"ID"},
               {"NODE"},
               {"PATH"},
               {"SIZE", kRight},
               {"USED", kRight},
               {"FREE", kRight},
               {"GROUPS", kRight},
               {"STATE"},
               {"HEALTH"}});
  for (const node::Json& device : part(answer, "devices")) {
    const bool known = device.contains("path");
    table.add({cell(device, "id"), cell(device, "node_name"), cell(device, "path"),
               size_cell(device, "weight_bytes"), known ? size_cell(device, "live_bytes") : "-",
               known ? size_cell(device, "free_bytes") : "-", cell(device, "groups"),
               cell(device, "state"), cell(device, "health")});
  }
  table.print();
  return {};
}

Status query(const Arguments& given) {
  std::string device = given.device;
  if (device.contains('/')) device = TRY(absolute_path(device));
  const node::Json answer = TRY(ask_node(given.data, {"device_query", {{"device", device}}}));
  if (given.json) {
    print_json(answer);
    return {};
  }
  const auto line = [](const char* what, const std::string& value) {
    fmt::print("{:<12}{}\n", what, value);
  };
  line("device", cell(answer, "id"));
  line("node", cell(answer, "node_name") + " (" + cell(answer, "node") + ")");
  line("path", cell(answer, "path"));
  line("kind", cell(answer, "kind"));
  line("size", size_cell(answer, "weight_bytes"));
  if (answer.contains("path")) {
    line("used",
         fmt::format("{} in {} records; {} with what is deleted", size_cell(answer, "live_bytes"),
                     cell(answer, "records"), size_cell(answer, "used_bytes")));
    line("free", size_cell(answer, "free_bytes"));
    line("segments",
         fmt::format("{} of {}", cell(answer, "segments"), size_cell(answer, "segment_bytes")));
    line("errors", fmt::format("{} corrupt reads, {} of input and output",
                               cell(answer, "corrupt_reads"), cell(answer, "io_errors")));
  }
  line("groups",
       fmt::format("{} here, {} leaving", cell(answer, "groups"), cell(answer, "groups_leaving")));
  line("state", cell(answer, "state"));
  line("health", cell(answer, "health"));
  return {};
}

Status remove(const Arguments& given) {
  TRY(ask_node(given.data,
               {"device_remove", {{"device", given.device}, {"failed", given.failed}}}));
  fmt::print("device {} {}\n", given.device,
             given.failed ? "is given up; what it held is rebuilt elsewhere"
                          : "is leaving; it may go when `nacre device list` shows it no more");
  return {};
}

}  // namespace

void add_device(CLI::App& program, int& exit_code) {
  CLI::App& device = *program.add_subcommand("device", "Add and remove the disks of a cluster");
  device.require_subcommand(1);
  const auto given = std::make_shared<Arguments>();
  const auto add_command = [&](const char* name, const char* what, auto body) -> CLI::App& {
    CLI::App& command = *device.add_subcommand(name, what);
    add_data(command, given->data);
    on_command(command, exit_code, [given, body] { return body(*given); });
    return command;
  };
  CLI::App& adding = add_command("add", "Give the node a disk, an image or a directory", add);
  adding.add_option("PATH", given->device, "A block device, a file or a directory")->required();
  adding.add_option("--size", given->size, "Of a file to be made; the most a directory may take");
  adding.add_flag("--force", given->force, "Destroy what is there");
  adding.add_flag("--json", given->json, "For scripts");
  adding.footer(
      "Examples:\n"
      "  nacre device add /dev/sdb --data /srv/node1\n"
      "  nacre device add /srv/disk.img --size 100GiB --data /srv/node1");
  CLI::App& listing = add_command("list", "List the devices of the cluster", list);
  listing.add_flag("--json", given->json, "For scripts");
  listing.footer("Example:\n  nacre device list --data /srv/node1");
  CLI::App& querying = add_command("query", "Show all that is known of a device", query);
  querying.add_option("ID|PATH", given->device, "Its id, or its path on this node")->required();
  querying.add_flag("--json", given->json, "For scripts");
  querying.footer("Example:\n  nacre device query /dev/sdb --data /srv/node1");
  CLI::App& removing =
      add_command("remove", "Move what a device has elsewhere, and let it go", remove);
  removing.add_option("ID", given->device, "Which")->required();
  removing.add_flag("--failed", given->failed,
                    "It is lost: rebuild what it had from the other devices");
  removing.footer("Example:\n  nacre device remove ID --data /srv/node1");
  device.footer(
      "Examples:\n"
      "  nacre device add /dev/sdb --data /srv/node1\n"
      "  nacre device list --data /srv/node1");
}

}  // namespace nacre::cli
