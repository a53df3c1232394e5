// nacre snapshot create, list, delete
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"

namespace nacre::cli {

namespace {

struct Arguments {
  std::string place;
  std::string name;
  bool json = false;
};

Result<node::Json> run(const char* command, const Arguments& given, bool read_only) {
  node::Json arguments = node::Json::object();
  if (!given.name.empty()) arguments["name"] = given.name;
  Watcher watcher;
  return ask(TRY(find_volume(given.place)), {command, arguments}, watcher, read_only);
}

Status create(const Arguments& given) {
  const node::Json snapshot = TRY(run("snapshot_create", given, false));
  if (given.json) {
    print_json(snapshot);
  } else {
    fmt::print("snapshot {} at sequence {}\n", name_from(snapshot.at("name")),
               cell(snapshot, "sequence"));
  }
  return {};
}

Status list(const Arguments& given) {
  const node::Json answer = TRY(run("snapshot_list", given, true));
  if (given.json) {
    print_json(answer);
    return {};
  }
  if (answer.at("snapshots").empty()) {
    fmt::print("no snapshots\n");
    return {};
  }
  Table table({"NAME", "SEQUENCE", "TIME"});
  for (const node::Json& snapshot : answer.at("snapshots")) {
    table.add({name_from(snapshot.at("name")), cell(snapshot, "sequence"),
               local_time(cell(snapshot, "time"))});
  }
  table.print();
  return {};
}

Status remove(const Arguments& given) {
  TRY(run("snapshot_delete", given, false));
  fmt::print("deleted snapshot {}\n", printable(given.name));
  return {};
}

}  // namespace

void add_snapshot(CLI::App& program, int& exit_code) {
  CLI::App& snapshot =
      *program.add_subcommand("snapshot", "Name a moment of the whole volume and keep it");
  snapshot.require_subcommand(1);
  auto arguments = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* what, auto body) -> CLI::App& {
    CLI::App& command = *snapshot.add_subcommand(name, what);
    command.add_option("VOLUME", arguments->place, "A mountpoint or the volume's directory")
        ->required();
    on_command(command, exit_code, [arguments, body] { return body(*arguments); });
    return command;
  };
  CLI::App& make = add("create", "Keep this moment; the default name is the time", create);
  make.add_option("NAME", arguments->name, "Up to 255 bytes without a slash");
  make.add_flag("--json", arguments->json, "For scripts");
  make.footer("Example:\n  nacre snapshot create /mnt before-upgrade");
  CLI::App& show = add("list", "List the snapshots", list);
  show.add_flag("--json", arguments->json, "For scripts");
  CLI::App& drop = add("delete", "Let a moment go", remove);
  drop.add_option("NAME", arguments->name, "Which")->required();
  snapshot.footer(
      "Examples:\n  nacre snapshot create /mnt before-upgrade\n  ls "
      "/mnt/.nacre/snapshots/before-upgrade");
}

}  // namespace nacre::cli
