#include "cli/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace nacre::cli {

bool is_terminal(int fd) { return ::isatty(fd) != 0; }

bool shows_colours(int fd) {
  const char* refused = std::getenv("NO_COLOR");
  if (refused != nullptr && *refused != '\0') return false;
  const char* kind = std::getenv("TERM");
  return is_terminal(fd) && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace nacre::cli
