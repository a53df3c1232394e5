// nacre forget
#include <fmt/format.h>

#include "base/units.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/output.h"
#include "cli/target.h"
#include "cli/text.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::string path;
  bool yes = false;
  bool json = false;
};

void print_answer(const node::Json& answer) {
  fmt::print("erased {} past versions; {} came free\n", cell(answer, "versions"),
             size_cell(answer, "bytes_freed"));
  if (flag(answer, "present")) {
    fmt::print(
        "What the path holds now stays; remove the file and forget it again to erase that.\n");
  }
  if (number(answer, "damaged") > 0) {
    print_warning(fmt::format("{} damaged blocks could not be rewritten and hold some of it still",
                              cell(answer, "damaged")));
  }
}

Status forget(const Arguments& given) {
  const Target target = TRY(find_target(given.path));
  if (!given.yes) {
    TRY(confirm(fmt::format("Erase {} from all history, for good? Snapshots lose it too.",
                            printable(given.path)),
                "forget erases", "nothing was erased"));
  }
  Watcher watcher;
  const node::Json arguments = {{"path", node::json_of_bytes(target.path)},
                                {"mountpoints", target.mountpoints}};
  const node::Json answer = TRY(ask(target.volume, {"forget", arguments}, watcher, true));
  if (given.json) {
    print_json(answer);
  } else {
    print_answer(answer);
  }
  return {};
}

}  // namespace

void add_forget(CLI::App& program, int& exit_code) {
  CLI::App& command =
      *program.add_subcommand("forget", "Erase one path's content from all history, for good");
  const auto given = std::make_shared<Arguments>();
  add_path(command, given->path);
  command.add_flag("--yes", given->yes, "Do not ask");
  command.add_flag("--json", given->json, "For scripts");
  command.footer(
      "What the path holds now stays; remove the file first if that shall go too.\n\n"
      "Example:\n"
      "  nacre forget /mnt/secret.txt");
  on_command(command, exit_code, [given] { return forget(*given); });
}

}  // namespace nacre::cli
