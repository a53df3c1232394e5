// One open end of /dev/fuse: requests come in, answers go out. All ends of one mount share the
// kernel's queue of requests; an answer goes out by the end its request came in by. Safe from any
// thread.
#pragma once

#include <atomic>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "mount/port.h"
#include "os/fd.h"

namespace nacre::mount {

class Connection final : public Port {
 public:
  explicit Connection(os::Fd device) : device_(std::move(device)) {}

  // What receive() ended with, besides a request.
  enum class Event { kRequest, kNothing, kUnmounted };
  struct Received {
    Event event;
    ByteView message;
  };

  // Waits for the next request and reads it into `buffer`, which holds at least the largest.
  // kNothing when another thread took it. kUnmounted, from then on always, when the mount is gone
  // or the connection aborted.
  Received receive(MutableBytes buffer);
  // Whether receive() has said kUnmounted.
  bool ended() const { return ended_.load(std::memory_order_relaxed); }

  // Another end of the same mount. kUnsupported where /dev/fuse cannot be opened; threads may then
  // share one end.
  Result<os::Fd> clone() const;

  void reply(uint64_t unique, int error_number, std::span<const ByteView> parts) override;
  Status notify(fuse_notify_code what, std::span<const ByteView> parts) override;

 private:
  const os::Fd device_;
  std::atomic<bool> ended_ = false;
};

}  // namespace nacre::mount
