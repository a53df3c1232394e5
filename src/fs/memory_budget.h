// The bound on dirty memory. Buffers count themselves in and out; writers wait while it is full.
// Safe from any thread.
#pragma once

#include <cstdint>

#include "os/mutex.h"

namespace nacre::fs {

class MemoryBudget {
 public:
  // Writers wait above `limit_bytes`; the flusher is wanted above half of it.
  explicit MemoryBudget(uint64_t limit_bytes) : limit_(limit_bytes) {}

  void add(uint64_t bytes) {
    const os::Lock lock(mutex_);
    used_ += bytes;
  }
  void subtract(uint64_t bytes) {
    const os::Lock lock(mutex_);
    used_ -= bytes;
    if (used_ <= limit_) room_.notify_all();
  }
  bool wants_flush() {
    const os::Lock lock(mutex_);
    return used_ > limit_ / 2;
  }
  bool has_room() {
    const os::Lock lock(mutex_);
    return used_ <= limit_;
  }
  // Waits until dirty memory is within its limit. Called without other locks. False when `limit`
  // ran out first.
  bool wait_for_room(std::chrono::nanoseconds limit) {
    const os::Lock lock(mutex_);
    return used_ <= limit_ || room_.wait_for(mutex_, limit);
  }
  uint64_t used() {
    const os::Lock lock(mutex_);
    return used_;
  }

 private:
  const uint64_t limit_;
  os::Mutex mutex_;  // a leaf: nothing is locked under it
  os::CondVar room_;
  uint64_t used_ GUARDED_BY(mutex_) = 0;
};

}  // namespace nacre::fs
