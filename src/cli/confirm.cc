#include "cli/confirm.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/terminal.h"

namespace nacre::cli {

Status confirm(const std::string& question, const std::string& what, const std::string& otherwise) {
  if (!is_terminal(STDIN_FILENO)) {
    return Error(Code::kInvalid,
                 what + " for good and asks first: give --yes where nobody can answer");
  }
  fmt::print(stderr, "{} Type yes: ", question);
  char answer[16] = {};
  if (std::fgets(answer, sizeof(answer), stdin) == nullptr || std::string_view(answer) != "yes\n") {
    return Error(Code::kInvalid, otherwise);
  }
  return {};
}

}  // namespace nacre::cli
