// nacre history
#include <fmt/format.h>

#include "base/units.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/target.h"

namespace nacre::cli {
namespace {

using Align = Column::Align;

struct Arguments {
  std::string path;
  bool deleted = false;
  bool recursive = false;
  bool json = false;
};

std::string changes_of(const node::Json& version) {
  std::string text;
  for (const node::Json& change : part(version, "changes")) {
    if (!change.is_string()) continue;
    text += (text.empty() ? "" : ", ") + change.get<std::string>();
  }
  return text;
}

std::string end_of(const node::Json& version) {
  if (cell(version, "end") == "-") return "now";
  const std::string until = time_cell(version, "until");
  return until == "-" ? "sequence " + cell(version, "end") : until;
}

// What a directory's size is depends on the file system and tells nobody anything.
std::string content_size(const node::Json& node) {
  return cell(node, "type") == "directory" ? "-" : size_cell(node, "size");
}

void print_versions(const std::vector<node::Json>& versions, const node::Json& answer) {
  Table table({{"VERSION", Align::kRight},
               {"SEQUENCE", Align::kRight},
               {"SINCE"},
               {"UNTIL"},
               {"TYPE"},
               {"SIZE", Align::kRight},
               {"MODE"},
               {"CHANGED"}});
  for (const node::Json& version : versions) {
    table.add({cell(version, "version"), cell(version, "at"), time_cell(version, "time"),
               end_of(version), cell(version, "type"), content_size(version), cell(version, "mode"),
               changes_of(version)});
  }
  table.print();
  if (flag(answer, "deleted")) {
    fmt::print("It is deleted now; `nacre restore` brings a version back.\n");
  }
}

// There may be very many: each is printed as it comes.
void print_deleted(const node::Json& name) {
  fmt::print("{:<19}  {:<9}  {:>9}  {}\n", time_cell(name, "time"), cell(name, "type"),
             content_size(name), cell(name, "path"));
}

Status show_deleted(const Target& target, const Arguments& given) {
  const node::Json arguments = {{"path", node::json_of_bytes(target.path)},
                                {"mountpoints", target.mountpoints},
                                {"recursive", given.recursive}};
  bool first = true;
  Watcher watcher([&](const node::Json& name) {
    if (given.json) {
      fmt::print("{}{}", first ? "[\n" : ",\n", node::to_line(name));
    } else {
      if (first) fmt::print("{:<19}  {:<9}  {:>9}  {}\n", "DELETED", "TYPE", "SIZE", "PATH");
      print_deleted(name);
    }
    first = false;
  });
  TRY(ask(target.volume, {"deleted", arguments}, watcher, false));
  if (given.json) {
    fmt::print("{}", first ? "[]\n" : "\n]\n");
  } else if (first) {
    fmt::print("history knows of nothing that was deleted here\n");
  }
  return {};
}

Status show(const Arguments& given) {
  const Target target = TRY(find_target(given.path));
  if (given.recursive && !given.deleted) {
    return Error(Code::kInvalid, "--recursive goes with --deleted");
  }
  if (given.deleted) return show_deleted(target, given);
  const node::Json arguments = {{"path", node::json_of_bytes(target.path)},
                                {"mountpoints", target.mountpoints}};
  Watcher watcher;
  const node::Json answer = TRY(ask(target.volume, {"history", arguments}, watcher, false));
  if (given.json) {
    print_json({{"path", part(answer, "path")},
                {"deleted", flag(answer, "deleted")},
                {"versions", watcher.items()}});
  } else {
    print_versions(watcher.items(), answer);
  }
  return {};
}

}  // namespace

void add_history(CLI::App& program, int& exit_code) {
  CLI::App& command =
      *program.add_subcommand("history", "List the versions of a file, or deleted names");
  const auto given = std::make_shared<Arguments>();
  add_path(command, given->path);
  command.add_flag("--deleted", given->deleted, "Names that the directory PATH holds no more");
  command.add_flag("-r,--recursive", given->recursive,
                   "With --deleted: those of the directories below it too");
  command.add_flag("--json", given->json, "For scripts");
  command.footer(
      "A version's SEQUENCE is a moment at which it can be seen: below .nacre/at/SEQUENCE of a\n"
      "mount, and by --at SEQUENCE.\n\n"
      "Examples:\n"
      "  nacre history /mnt/report.txt\n"
      "  nacre history /mnt/projects --deleted -r\n"
      "  nacre history /srv/vol:projects/report.txt     (not mounted)");
  on_command(command, exit_code, [given] { return show(*given); });
}

}  // namespace nacre::cli
