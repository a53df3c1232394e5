// Removing files of the host.
#pragma once

#include <string>

#include "base/result.h"
#include "os/file_system.h"

namespace nacre::node {

// A file, or a directory with all below it; no error if there is nothing. Not durable before
// sync_directory() of what it was in.
Status remove_tree(os::FileSystem& files, const std::string& path);

}  // namespace nacre::node
