// The lock by which one process has a volume to itself.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "os/file_system.h"

namespace nacre::node {

// Held until what is returned is destroyed, or the process ends. kBusy names the process that has
// it. With `read_only` nothing is written, and a directory in which nothing can be written needs no
// lock: nobody can change it; null then.
Result<std::unique_ptr<os::FileLock>> lock_volume(os::FileSystem& files,
                                                  const std::string& directory, bool read_only);

}  // namespace nacre::node
