// Decides which worker waits for the next request.
//
// Were all to wait, the kernel would wake them in turn, each on another CPU and with cold caches,
// for requests that one of them could have served one after another: half the speed for a single
// client. So only one waits in the kernel. It serves what it gets and returns to the door, while
// the others are parked; one of them is let in
//   - when requests come faster than they are served: call();
//   - before something known to be slow: call();
//   - when the door has been left for a whole tick and nobody came back: the lookout, one of the
//   parked, sees it.
// The lookout looks once per tick while requests come, and sleeps when they have not for a while.
//
// Safe from any thread. A worker without a request calls come(), and leave() when it has one.
#pragma once

#include <chrono>
#include <cstdint>

#include "os/mutex.h"

namespace nacre::mount {

class Door {
 public:
  explicit Door(std::chrono::microseconds tick = kTick) : tick_(tick) {}

  // Returns true when this worker is the one to wait for a request, or false when the door is
  // closed for good. Parks while another waits.
  bool come();
  // The worker at the door has a request.
  void leave();
  // The worker that was last at the door finds requests without waiting there: nobody need look.
  void pass();
  // Sends one of the parked to the door, unless somebody is there.
  void call();
  // Nobody waits any more.
  void close();
  // Waits until no worker is left to wait for a request, and none comes back for so long. False
  // when the door is closed. For one thread.
  bool wait_until_short(std::chrono::microseconds patience);
  // How many are parked now.
  int parked() const;

  static constexpr std::chrono::microseconds kTick{1000};

 private:
  void park() REQUIRES(mutex_);
  bool look_out() REQUIRES(mutex_);
  bool is_short() const REQUIRES(mutex_) { return parked_ == 0 && !taken_; }

  const std::chrono::microseconds tick_;
  mutable os::Mutex mutex_;  // a leaf
  os::CondVar changed_;
  bool taken_ GUARDED_BY(mutex_) = false;  // somebody waits at the door
  bool closed_ GUARDED_BY(mutex_) = false;
  bool lookout_ GUARDED_BY(mutex_) = false;  // one of the parked looks out
  bool asleep_ GUARDED_BY(mutex_) = false;   // and sleeps, as nothing happens
  int parked_ GUARDED_BY(mutex_) = 0;
  int calls_ GUARDED_BY(mutex_) = 0;        // not answered yet; never more than are parked
  uint64_t passes_ GUARDED_BY(mutex_) = 0;  // signs that requests are served
  os::CondVar short_;
  bool shortage_awaited_ GUARDED_BY(mutex_) = false;
};

}  // namespace nacre::mount
