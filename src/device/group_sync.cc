#include "device/group_sync.h"

namespace nacre::device {

Status GroupSync::run(const std::function<Status()>& sync) {
  uint64_t serves = 0;
  {
    os::Lock lock(mutex_);
    const uint64_t mine = ++asked_;
    while (running_ && finished_ < mine && !failure_) changed_.wait(mutex_);
    if (failure_) return *failure_;
    if (finished_ >= mine) return {};
    running_ = true;
    serves = asked_;
  }
  Status outcome = sync();
  os::Lock lock(mutex_);
  running_ = false;
  if (outcome.ok()) {
    finished_ = serves;
  } else {
    failure_ = outcome.error();
  }
  changed_.notify_all();
  return outcome;
}

}  // namespace nacre::device
