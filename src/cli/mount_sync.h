// Makes the kernel write the dirty pages of a mount back. Plain FUSE servers never hear of sync(2),
// and the kernel alone lets pages lie for half a minute.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace nacre::cli {

// The number of the file system that is mounted at `mountpoint` now. The mount must answer.
Result<dev_t> device_of(const std::string& mountpoint);

// On return everything written below `mountpoint` before the call was handed to the file system's
// process, which makes it durable by a commit of its own. kNotFound when `device` is not mounted
// there any more. Blocks as long as the pages take; must not be called by a thread that serves the
// mount. Where the right to do so is there (root), umount(8) finds the mount idle meanwhile.
Status sync_mount(const std::string& mountpoint, dev_t device);

}  // namespace nacre::cli
