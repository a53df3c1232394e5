// nacre history
#include <fmt/format.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"

namespace nacre::cli {

namespace {

struct Arguments {
  std::string path;
  bool deleted = false;
  bool recursive = false;
  bool json = false;
};

node::Json request_path(const Target& target) {
  return {{"path", target.path}, {"mountpoints", target.mountpoints}};
}

std::string changes_of(const node::Json& version) {
  std::string text;
  for (const node::Json& change : version.at("changes")) {
    text += (text.empty() ? "" : ", ") +
            (change.is_string() ? change.get<std::string>() : change.dump());
  }
  return text.empty() ? "-" : text;
}

void print_versions(const Watcher& watcher, const node::Json& answer) {
  Table table({"VERSION", "SEQUENCE", "SINCE", "UNTIL", "TYPE", "SIZE", "MODE", "CHANGES"});
  for (const node::Json& version : watcher.items()) {
    const std::string until =
        version.at("until").is_null()
            ? (version.at("end").is_null() ? "now" : "sequence " + cell(version, "end"))
            : local_time(cell(version, "until"));
    table.add({cell(version, "version"), cell(version, "begin"), local_time(cell(version, "time")),
               until, cell(version, "type"), format_size(version.value("size", uint64_t{0})),
               cell(version, "mode"), changes_of(version)});
  }
  table.print();
  if (answer.value("deleted", false)) fmt::print("deleted: bring it back with `nacre restore`\n");
}

void print_deleted(const Watcher& watcher) {
  if (watcher.items().empty()) {
    fmt::print("nothing that was deleted is still in history\n");
    return;
  }
  Table table({"DELETED", "TYPE", "SIZE", "MODIFIED", "PATH"});
  for (const node::Json& name : watcher.items()) {
    table.add({local_time(cell(name, "time")), cell(name, "type"),
               format_size(name.value("size", uint64_t{0})), local_time(cell(name, "mtime")),
               name_from(name.at("path"))});
  }
  table.print();
}

Status show(const Arguments& arguments) {
  const Target target = TRY(find_target(arguments.path));
  node::Request request{arguments.deleted ? "deleted" : "history", request_path(target)};
  if (arguments.deleted) request.arguments["recursive"] = arguments.recursive;
  Watcher watcher;
  node::Json answer = TRY(ask(target.volume, request, watcher, true));
  watcher.clear();
  if (arguments.json) {
    answer[arguments.deleted ? "deleted" : "versions"] = watcher.items();
    print_json(answer);
  } else if (arguments.deleted) {
    print_deleted(watcher);
  } else {
    print_versions(watcher, answer);
  }
  return {};
}

}  // namespace

void add_history(CLI::App& program, int& exit_code) {
  CLI::App& command =
      *program.add_subcommand("history", "List the versions of a file, or deleted names");
  auto arguments = std::make_shared<Arguments>();
  command
      .add_option("PATH", arguments->path, "A file below a mount, deleted ones too; or DIR:PATH")
      ->required();
  command.add_flag("--deleted", arguments->deleted,
                   "Names that the directory PATH no longer holds");
  command.add_flag("-r,--recursive", arguments->recursive,
                   "With --deleted: below its directories too");
  command.add_flag("--json", arguments->json, "For scripts");
  command.footer(
      "Examples:\n"
      "  nacre history /mnt/report.txt\n"
      "  nacre history /mnt/projects --deleted\n"
      "  nacre history /srv/vol:projects/report.txt     (not mounted)");
  on_command(command, exit_code, [arguments] { return show(*arguments); });
}

}  // namespace nacre::cli
