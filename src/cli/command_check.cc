// nacre check
#include <fmt/format.h>

#include "base/units.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::string place;
  bool deep = false;
  bool repair = false;
  bool json = false;
};

void print_finding(const node::Json& finding) {
  fmt::print("{}: {}: {}{}\n", cell(finding, "severity"), cell(finding, "where"),
             cell(finding, "what"),
             flag(finding, "repaired")     ? " (repaired)"
             : flag(finding, "repairable") ? " (can be repaired)"
                                           : "");
}

void print_summary(const node::Json& summary, const Arguments& given) {
  const uint64_t problems = number(summary, "problems");
  const uint64_t repaired = number(summary, "repaired");
  fmt::print("checked {} inodes, {} names, {} blocks, {} past rows{}: ", cell(summary, "inodes"),
             cell(summary, "names"), cell(summary, "blocks"), cell(summary, "past_rows"),
             given.deep ? " and " + size_cell(summary, "bytes_read") + " of content" : "");
  if (problems == 0) {
    fmt::print("clean\n");
  } else if (problems == repaired) {
    fmt::print("{} problems, all repaired\n", problems);
  } else {
    fmt::print("{} problems, {} repaired{}\n", problems, repaired,
               given.repair ? "" : "; --repair mends what can be mended without guessing");
  }
}

Status check(const Arguments& given, int& exit_code) {
  node::Json findings = node::Json::array();
  Watcher watcher([&](const node::Json& finding) {
    if (given.json) {
      findings.push_back(finding);
    } else {
      print_finding(finding);
    }
  });
  const node::Json arguments = {{"deep", given.deep}, {"repair", given.repair}};
  node::Json summary =
      TRY(ask(TRY(find_volume(given.place)), {"check", arguments}, watcher, given.repair));
  if (number(summary, "problems") > number(summary, "repaired")) exit_code = kDamaged;
  if (given.json) {
    summary["findings"] = std::move(findings);
    print_json(summary);
  } else {
    print_summary(summary, given);
  }
  return {};
}

}  // namespace

void add_check(CLI::App& program, int& exit_code) {
  CLI::App& command = *program.add_subcommand("check", "Verify a whole volume");
  const auto given = std::make_shared<Arguments>();
  command.add_option("DIR|MOUNTPOINT", given->place, "Of the volume; it may be in use")->required();
  command.add_flag("--deep", given->deep, "Read every byte");
  command.add_flag("--repair", given->repair, "Mend what can be mended without guessing");
  command.add_flag("--json", given->json, "For scripts");
  command.footer(
      "Exit code 4 when problems remain.\n\n"
      "Examples:\n"
      "  nacre check /srv/vol\n"
      "  nacre check /mnt --deep\n"
      "  nacre check /srv/vol --repair");
  on_command(command, exit_code, [given, &exit_code] { return check(*given, exit_code); });
}

}  // namespace nacre::cli
