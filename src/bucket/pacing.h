// What a throttling store asked for by Retry-After: from the bucket that heard it to the decorator
// that waits. It holds for all calls, since stores throttle accounts and not calls. Safe from any
// thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace nacre::bucket {

class Pacing {
 public:
  // Nothing shall be tried before that time of os::Clock::monotonic_ns().
  void not_before(int64_t ns) {
    int64_t known = until_ns_.load();
    while (known < ns && !until_ns_.compare_exchange_weak(known, ns)) {
    }
  }
  int64_t until_ns() const { return until_ns_.load(); }

 private:
  std::atomic<int64_t> until_ns_ = 0;
};

}  // namespace nacre::bucket
