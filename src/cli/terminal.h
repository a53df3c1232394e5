// What standard output and standard error are.
#pragma once

namespace nacre::cli {

bool is_terminal(int fd);
// On terminals, unless NO_COLOR is set or the terminal is a dumb one.
bool shows_colours(int fd);

}  // namespace nacre::cli
