// Lets callers that want the same file synced at the same time share one run of it: the first
// leads, those that come while it runs wait, and one of them leads the next run for all.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/result.h"
#include "os/mutex.h"

namespace nacre::device {

class GroupSync {
 public:
  // Returns after a run of `sync` that began after this call did, by this caller or another. A
  // failure is given to all later callers too: what the failed run should have made durable may
  // be lost although a later run would succeed.
  Status run(const std::function<Status()>& sync);

 private:
  os::Mutex mutex_;  // a leaf; not held while `sync` runs
  os::CondVar changed_;
  uint64_t asked_ GUARDED_BY(mutex_) = 0;     // calls so far
  uint64_t finished_ GUARDED_BY(mutex_) = 0;  // calls up to this one are served
  bool running_ GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ GUARDED_BY(mutex_);
};

}  // namespace nacre::device
