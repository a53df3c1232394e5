// Waiting for another process to be done, for a while.
#pragma once

#include <cstdint>

#include "os/clock.h"
#include "os/mutex.h"

namespace nacre::cli {

// For one thread.
class Patience {
 public:
  Patience(os::Clock& clock, int64_t limit_ns)
      : clock_(clock), deadline_ns_(clock.monotonic_ns() + limit_ns) {}

  // A short pause; false at once when there is no patience left.
  bool wait() {
    if (clock_.monotonic_ns() >= deadline_ns_) return false;
    const os::Lock lock(mutex_);
    nobody_.wait_for(mutex_, std::chrono::milliseconds(50));
    return true;
  }

 private:
  os::Clock& clock_;
  const int64_t deadline_ns_;
  os::Mutex mutex_;  // guards nothing: it is for the wait
  os::CondVar nobody_;
};

}  // namespace nacre::cli
