// For tests of what is written about the commands: which there are, with their options, as the
// parser knows them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/program.h"

namespace nacre::cli {

using Words = std::set<std::string>;

struct CommandFacts {
  std::vector<std::string> path = {};  // "node", "start"; empty: the program itself
  Words options = {};                  // "--data", "-f"; --help and -h are everywhere
  Words subcommands = {};
};

inline std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

inline void add_commands(const CLI::App& command, const std::vector<std::string>& path,
                         std::vector<CommandFacts>& to) {
  CommandFacts facts{.path = path};
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) facts.options.insert("--" + name);
    for (const std::string& name : option->get_snames()) facts.options.insert("-" + name);
  }
  for (const char* everywhere : {"--help", "-h"}) facts.options.erase(everywhere);
  if (path.empty()) facts.options.erase("--version");
  const auto below = command.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* each : below) facts.subcommands.insert(each->get_name());
  to.push_back(std::move(facts));
  for (const CLI::App* each : below) {
    std::vector<std::string> longer = path;
    longer.push_back(each->get_name());
    add_commands(*each, longer, to);
  }
}

inline std::vector<CommandFacts> all_commands() {
  int exit_code = 0;
  const auto program = make_program(exit_code);
  std::vector<CommandFacts> commands;
  add_commands(*program, {}, commands);
  return commands;
}

}  // namespace nacre::cli
