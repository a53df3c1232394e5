// Where answers and notifications go: the kernel's end of a FUSE connection, or a test's notebook.
// Safe from any thread.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "mount/abi.h"

namespace nacre::mount {

class Port {
 public:
  virtual ~Port() = default;
  // Answers request `unique` with `error_number` (0, or a positive errno and no parts) and the
  // parts one after another. An answer nobody waits for any more is dropped. A request is answered
  // on the port it came from.
  virtual void reply(uint64_t unique, int error_number, std::span<const ByteView> parts) = 0;
  // Tells the kernel something on our own account; returns when it has acted. Invalidating an inode
  // first writes its dirty pages back through requests that others must serve meanwhile. kNotFound:
  // it knows no such thing.
  virtual Status notify(fuse_notify_code what, std::span<const ByteView> parts) = 0;
};

}  // namespace nacre::mount
