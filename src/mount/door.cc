#include "mount/door.h"

#include <algorithm>

namespace nacre::mount {
namespace {
constexpr int kQuietTicks = 20;  // after which the lookout sleeps
}

bool Door::come() {
  const os::Lock lock(mutex_);
  while (!closed_ && taken_) park();
  taken_ = true;
  return !closed_;
}

void Door::leave() {
  const os::Lock lock(mutex_);
  taken_ = false;
  ++passes_;
  if (asleep_) changed_.notify_all();
  if (shortage_awaited_ && is_short()) {
    shortage_awaited_ = false;
    short_.notify_one();
  }
}

void Door::pass() {
  const os::Lock lock(mutex_);
  ++passes_;
}

void Door::call() {
  const os::Lock lock(mutex_);
  if (taken_ || calls_ >= parked_) return;
  ++calls_;
  changed_.notify_one();
}

void Door::close() {
  const os::Lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
  short_.notify_one();
}

bool Door::wait_until_short(std::chrono::microseconds patience) {
  const os::Lock lock(mutex_);
  while (!closed_) {
    const uint64_t seen = passes_;
    if (!is_short()) {
      shortage_awaited_ = true;
      short_.wait(mutex_);
      shortage_awaited_ = false;
    } else if (!short_.wait_for(mutex_, patience) && is_short() && passes_ == seen) {
      return !closed_;
    }
  }
  return false;
}

int Door::parked() const {
  const os::Lock lock(mutex_);
  return parked_;
}

// Returns when this worker should go to the door.
void Door::park() {
  ++parked_;
  while (!closed_ && calls_ == 0) {
    if (lookout_) {
      changed_.wait(mutex_);
      continue;
    }
    lookout_ = true;
    const bool needed = look_out();
    lookout_ = false;
    changed_.notify_one();  // another looks out
    if (needed) break;
  }
  --parked_;
  calls_ = std::clamp(calls_ - 1, 0, parked_);
}

// Returns when called, or true when the door is empty and nobody comes back.
bool Door::look_out() {
  int quiet_ticks = 0;
  uint64_t seen = passes_;
  while (!closed_ && calls_ == 0) {
    if (quiet_ticks >= kQuietTicks) {
      asleep_ = true;
      changed_.wait(mutex_);
      asleep_ = false;
      quiet_ticks = 0;
    } else if (changed_.wait_for(mutex_, tick_)) {
      continue;  // not a tick
    } else {
      if (!taken_ && passes_ == seen) return true;
      quiet_ticks = passes_ == seen ? quiet_ticks + 1 : 0;
    }
    seen = passes_;
  }
  return false;
}

}  // namespace nacre::mount
