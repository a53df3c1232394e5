// What a daemon's main thread waits for: signals, and other threads that wake it.
#pragma once

#include <signal.h>

#include <memory>
#include <optional>

#include "base/result.h"
#include "os/fd.h"

namespace nacre::node {

class WakeQueue {
 public:
  // From here on SIGINT and SIGTERM come by wait(), and SIGHUP and SIGPIPE do nothing. Before there
  // are threads: they inherit it.
  static Result<std::unique_ptr<WakeQueue>> open();
  // What was before comes back.
  ~WakeQueue();
  WakeQueue(const WakeQueue&) = delete;
  WakeQueue& operator=(const WakeQueue&) = delete;

  // From any thread: makes the current or the next wait() return.
  void wake();

  enum class Event { kWoken, kSignal, kTimeout };
  // Without a limit it never gives kTimeout. For one thread.
  Event wait(std::optional<int64_t> limit_ns);

 private:
  WakeQueue() = default;

  os::Fd signals_;
  os::Fd wakes_;
  sigset_t mask_before_ = {};
  struct sigaction hangup_before_ = {};
  struct sigaction pipe_before_ = {};
};

}  // namespace nacre::node
