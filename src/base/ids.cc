#include "base/ids.h"

#include <fmt/format.h>

namespace nacre {

std::string to_hex(uint64_t high, uint64_t low) { return fmt::format("{:016x}{:016x}", high, low); }

}  // namespace nacre
