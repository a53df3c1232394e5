// nacre completion: scripts for the shells, made from the parser itself so that they never lag
// behind.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"

namespace nacre::cli {

namespace {

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_name().empty(); });
}

std::string names_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : subcommands(app))
    names += (names.empty() ? "" : " ") + command->get_name();
  return names;
}

std::string options_of(const CLI::App& app) {
  std::string words;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames())
      words += (words.empty() ? "--" : " --") + name;
    for (const std::string& name : option->get_snames())
      words += (words.empty() ? "-" : " -") + name;
  }
  return words;
}

// case arms: the words so far → what may come next.
std::string bash_arms(const CLI::App& app, const std::string& prefix) {
  std::string arms;
  for (const CLI::App* command : subcommands(app)) {
    const std::string path =
        prefix.empty() ? command->get_name() : prefix + " " + command->get_name();
    arms += bash_arms(*command, path);
    arms +=
        fmt::format("    '{}'*) words='{} {}';;\n", path, names_of(*command), options_of(*command));
  }
  return arms;
}

void print_bash(const CLI::App& program) {
  fmt::print(
      "_nacre() {{\n"
      "  local words='{} --help --version' line=\"${{COMP_WORDS[*]:1:COMP_CWORD-1}}\"\n"
      "  case \"$line\" in\n{}  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n"
      "  [ \"$line\" ] && COMPREPLY+=($(compgen -f -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n"
      "}}\n"
      "complete -o filenames -F _nacre nacre\n",
      names_of(program), bash_arms(program, ""));
}

void print_fish(const CLI::App& app, const std::string& condition) {
  for (const CLI::App* command : subcommands(app)) {
    fmt::print("complete -c nacre -n '{}' -a {} -d '{}'\n", condition, command->get_name(),
               command->get_description());
    const std::string inside = "__fish_seen_subcommand_from " + command->get_name();
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames())
        fmt::print("complete -c nacre -n '{}' -l {}\n", inside, name);
    }
    print_fish(*command, inside);
  }
}

void print_zsh(const CLI::App& program) {
  fmt::print("#compdef nacre\nautoload -U +X bashcompinit && bashcompinit\n");
  print_bash(program);
}

}  // namespace

void add_completion(CLI::App& program, int& exit_code) {
  CLI::App& command =
      *program.add_subcommand("completion", "Print a completion script for a shell");
  auto shell = std::make_shared<std::string>();
  command.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command.footer(
      "Example:\n  nacre completion bash > /usr/share/bash-completion/completions/nacre");
  on_command(command, exit_code, [shell, &program]() -> Status {
    if (*shell == "bash") print_bash(program);
    if (*shell == "zsh") print_zsh(program);
    if (*shell == "fish") print_fish(program, "__fish_use_subcommand");
    return {};
  });
}

}  // namespace nacre::cli
