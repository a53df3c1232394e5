// A volume with little space left, under the kernel's write-back cache.
//
// The kernel takes a write into its cache without a word, and sends it when the writer may be long
// gone: too late for write(2) to fail with ENOSPC. While space is scarce it is told attributes of
// files that it may not keep, so that it asks for them before each write; that answer is the
// volume's word on whether the write has room. What it was promised is kept for it.
#pragma once

#include "mount/session.h"

namespace nacre::mount {

// Answers a GETATTR that does not come from stat: for a write with attributes once it has room, or
// with ENOSPC.
void getattr_while_scarce(Turn& turn);

// After a write: makes the kernel ask from now on if space has become scarce.
void watch_space(Session& session);

}  // namespace nacre::mount
