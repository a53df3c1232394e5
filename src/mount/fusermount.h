// The setuid program of the fuse3 package, which mounts and unmounts for ordinary users. What it
// prints becomes the error.
#pragma once

#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace nacre::mount {

// Mounts with a comma-separated list of fusermount3's options and returns the connection.
// kUnsupported when the program is not installed; kNotPermitted, with its reason, when it refuses.
Result<os::Fd> fusermount_attach(const std::string& mountpoint, const std::string& options);

// kBusy when in use, kNotPermitted for somebody else's mount.
Status fusermount_detach(const std::string& mountpoint, bool lazy);

}  // namespace nacre::mount
