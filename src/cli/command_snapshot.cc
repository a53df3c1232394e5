// nacre snapshot create, list, delete
#include <fmt/format.h>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/target.h"
#include "cli/text.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::string place;
  std::string name;
  bool json = false;
};

Result<node::Json> run(const char* command, const Arguments& given, bool changes) {
  node::Json arguments = node::Json::object();
  if (!given.name.empty()) arguments["name"] = node::json_of_bytes(given.name);
  Watcher watcher;
  return ask(TRY(find_volume(given.place)), {command, arguments}, watcher, changes);
}

Status create(const Arguments& given) {
  const node::Json snapshot = TRY(run("snapshot_create", given, true));
  if (given.json) {
    print_json(snapshot);
  } else {
    fmt::print("made snapshot {}, sequence {}\n", cell(snapshot, "name"),
               cell(snapshot, "sequence"));
  }
  return {};
}

Status list(const Arguments& given) {
  const node::Json answer = TRY(run("snapshot_list", given, false));
  if (given.json) {
    print_json(part(answer, "snapshots"));
    return {};
  }
  if (part(answer, "snapshots").empty()) {
    fmt::print("there are no snapshots\n");
    return {};
  }
  Table table({{"NAME"}, {"SEQUENCE", Column::Align::kRight}, {"CREATED"}});
  for (const node::Json& snapshot : part(answer, "snapshots")) {
    table.add({cell(snapshot, "name"), cell(snapshot, "sequence"), time_cell(snapshot, "created")});
  }
  table.print();
  return {};
}

Status remove(const Arguments& given) {
  const node::Json answer = TRY(run("snapshot_delete", given, true));
  if (given.json) {
    print_json(answer);
  } else {
    fmt::print("deleted snapshot {}\n", printable(given.name));
  }
  return {};
}

}  // namespace

void add_snapshot(CLI::App& program, int& exit_code) {
  CLI::App& snapshot =
      *program.add_subcommand("snapshot", "Name a moment of the whole volume and keep it");
  snapshot.require_subcommand(1);
  const auto given = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* what, auto body) -> CLI::App& {
    CLI::App& command = *snapshot.add_subcommand(name, what);
    command.add_option("MOUNTPOINT|DIR", given->place, "Of the volume")->required();
    command.add_flag("--json", given->json, "For scripts");
    on_command(command, exit_code, [given, body] { return body(*given); });
    return command;
  };
  CLI::App& create_command = add("create", "Keep this moment of the volume", create);
  create_command.add_option("NAME", given->name, "Up to 255 bytes; default: from the time");
  create_command.footer("Example:\n  nacre snapshot create /mnt before-upgrade");
  add("list", "List the snapshots", list).footer("Example:\n  nacre snapshot list /mnt");
  CLI::App& delete_command = add("delete", "Let a kept moment go", remove);
  delete_command.add_option("NAME", given->name, "Which")->required();
  delete_command.footer("Example:\n  nacre snapshot delete /mnt before-upgrade");
  snapshot.footer(
      "Examples:\n"
      "  nacre snapshot create /mnt before-upgrade\n"
      "  ls /mnt/.nacre/snapshots/before-upgrade\n"
      "  nacre snapshot delete /mnt before-upgrade");
}

}  // namespace nacre::cli
