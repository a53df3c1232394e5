// The handshake: from what the kernel offers in INIT, what is used on this mount. Pure.
//
// Each feature is used where the kernel offers it and done without where it does not; only kernels
// before 5.4 are refused.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "mount/abi.h"
#include "mount/request.h"

namespace nacre::mount {

inline constexpr size_t kMaxTransferBytes = size_t{1} << 20;  // of one READ or WRITE

struct Features {
  Dialect dialect;
  bool write_back = false;  // the kernel holds dirty pages, sizes and times
  bool no_open = false;     // OPEN refused with ENOSYS means: never ask again
};

struct Agreement {
  fuse_init_out answer;
  Features features;
};

// kUnsupported for a kernel that is too old, with its version and ours. `write_back` asks for the
// kernel's write-back cache.
Result<Agreement> negotiate(const fuse_init_in& offer, bool write_back);

}  // namespace nacre::mount
