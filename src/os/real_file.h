// A file or block device of the host, as RealFileSystem opens it.
#pragma once

#include <memory>
#include <string>

#include "os/fd.h"
#include "os/file_system.h"

namespace nacre::os {

// Takes over `fd`, which is open on a regular file or, if `block_device`, on one of those; `path`
// is for errors.
std::unique_ptr<File> make_real_file(Fd fd, std::string path, bool block_device);

}  // namespace nacre::os
