// nacre completion
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/commands.h"
#include "cli/completions.h"

namespace nacre::cli {
namespace {

struct Script {
  std::string_view shell;
  std::string_view text;
};

}  // namespace

void add_completion(CLI::App& program, int& exit_code) {
  CLI::App& command = *program.add_subcommand("completion", "Print a shell's completion script");
  const auto shell = std::make_shared<std::string>();
  command.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command.footer(
      "Examples:\n"
      "  eval \"$(nacre completion bash)\"                             in ~/.bashrc\n"
      "  nacre completion zsh > ~/.zfunc/_nacre\n"
      "  nacre completion fish > ~/.config/fish/completions/nacre.fish");
  on_command(command, exit_code, [shell]() -> Status {
    const std::array scripts = {Script{"bash", kBashCompletion}, Script{"zsh", kZshCompletion},
                                Script{"fish", kFishCompletion}};
    const auto* script = std::ranges::find(scripts, *shell, &Script::shell);
    fmt::print("{}", script->text);
    return {};
  });
}

}  // namespace nacre::cli
