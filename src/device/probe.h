// Looks at what a path holds before it is formatted.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "os/file_system.h"

namespace nacre::device {

// Where an image is looked at, from its beginning and before its end.
inline constexpr uint64_t kProbedHeadBytes = kMiB;
inline constexpr uint64_t kProbedTailBytes = 64 * kKiB;

// What formatting would destroy, in words for the user, such as "an ext4 file system" or "a Nacre
// device of volume 12ab…"; empty when there is nothing. A missing path holds nothing.
Result<std::string> describe_content(os::FileSystem& files, const std::string& path);

}  // namespace nacre::device
