// Attaching a FUSE connection to a directory, and taking it off again: mount(2) as root, else the
// setuid program fusermount3. Errors say what is wrong with the mountpoint and what to do about it.
#pragma once

#include <string>

#include "base/result.h"
#include "mount/options.h"
#include "os/fd.h"

namespace nacre::mount {

enum class DetachMode {
  kIfIdle,  // kBusy while files are open below
  kLazy,    // out of sight at once; open files keep working until closed
};

// The mountpoint as an absolute path. kNotFound, kNotDirectory; kBusy when it still carries a mount
// whose process is gone.
Result<std::string> check_mountpoint(const std::string& path);

// Mounts at an absolute path and returns the connection, whose first message is INIT. Nothing below
// the mountpoint may be touched before that is answered. kNotPermitted, or kUnsupported when the
// kernel has no FUSE or fusermount3 is missing.
Result<os::Fd> attach(const std::string& mountpoint, const Options& options);

// kInvalid when nothing is mounted there. Works on a mount whose process is gone.
Status detach(const std::string& mountpoint, DetachMode mode);

// Lets the kernel read ahead in requests of the full size. Does nothing without the right to.
void raise_read_ahead(const std::string& mountpoint);

}  // namespace nacre::mount
