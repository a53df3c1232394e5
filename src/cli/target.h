// From what a user points at (a volume's directory, a mountpoint, a file below one) to the volume
// it is in and the place there.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "node/mount_info.h"

namespace nacre::cli {

struct Target {
  std::string volume;      // its directory, absolute
  std::string path = "/";  // from the root of the file system that is mounted
  std::vector<std::string>
      mountpoints;  // where that is mounted; empty when given by DIR or DIR:PATH
};

// A path below a mount of a volume, whether it exists or not (a symlink there is meant itself); the
// directory of a volume; or DIR:PATH, a path in the volume of the directory DIR. kNotFound and
// kAccess say what is in the way.
Result<Target> find_target(const std::string& argument);
// The same with a given table of mounts.
Result<Target> find_target(const std::string& argument, const std::vector<node::MountInfo>& table);
// The directory of a volume, from it or from anything below one of its mounts.
Result<std::string> find_volume(const std::string& argument);

enum class LastName { kFollow, kKeep };
// Absolute, with every symlink resolved as far as the path exists; what does not exist is taken by
// its names. With kKeep the last name is not resolved. kInvalid for an empty path.
Result<std::string> absolute_path(const std::string& path, LastName last = LastName::kFollow);

}  // namespace nacre::cli
