// What the arguments of `nacre mount` mean, apart from mounting. Pure but for the names on disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/mount_info.h"

namespace nacre::cli {

// The words after `-o` that are not only the FUSE shell's.
struct MountWords {
  std::string options;            // for the shell
  std::optional<std::string> at;  // of `at=WHEN`; a comma in it is not possible
  bool read_only = false;
  bool atime = true;
};
// kInvalid names a word that nobody knows.
Result<MountWords> parse_mount_words(const std::vector<std::string>& lists);

// Refuses a mountpoint over or below the volume's directory, which would hide it or itself, and one
// that carries a mount of a volume already. Both are absolute and without symlinks.
Status check_places(const std::string& directory, const std::string& mountpoint,
                    const std::vector<node::MountInfo>& table);

}  // namespace nacre::cli
