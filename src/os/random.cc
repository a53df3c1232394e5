#include "os/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/check.h"

namespace nacre::os {
namespace {

// Asks the kernel for a pool at a time, so that next() seldom makes a system call.
class RealRandom final : public Random {
 public:
  uint64_t next() override {
    const Lock lock(mutex_);
    if (used_ == pool_.size()) refill();
    // A number given out is not kept: it may become a key.
    return std::exchange(pool_[used_++], 0);
  }

 private:
  void refill() REQUIRES(mutex_) {
    // Up to 256 bytes come whole; only the wait for entropy early at boot can be interrupted.
    static_assert(sizeof(pool_) <= 256);
    ssize_t count = -1;
    do {
      count = ::getrandom(pool_.data(), sizeof(pool_), 0);
    } while (count < 0 && errno == EINTR);
    CHECK(count == static_cast<ssize_t>(sizeof(pool_)));
    used_ = 0;
  }

  Mutex mutex_;
  std::array<uint64_t, 32> pool_ GUARDED_BY(mutex_) = {};
  size_t used_ GUARDED_BY(mutex_) = 32;
};

}  // namespace

Random& real_random() {
  static RealRandom random;
  return random;
}

uint64_t SeededRandom::next() {
  const Lock lock(mutex_);
  state_ += 0x9E3779B97F4A7C15u;
  uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  return mixed ^ (mixed >> 31);
}

}  // namespace nacre::os
