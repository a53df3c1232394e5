// Asking before something goes for good.
#pragma once

#include <string>

#include "base/result.h"

namespace nacre::cli {

// Asks on the terminal and wants a "yes". kInvalid for any other answer, with `otherwise`, and
// where nobody can answer; `what` is "forget erases", say.
Status confirm(const std::string& question, const std::string& what, const std::string& otherwise);

}  // namespace nacre::cli
