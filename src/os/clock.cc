#include "os/clock.h"

#include <time.h>

namespace nacre::os {
namespace {

int64_t read_ns(clockid_t id) {
  timespec time = {};
  ::clock_gettime(id, &time);  // cannot fail for the clocks named here
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

class RealClock final : public Clock {
 public:
  Timestamp now() override { return {read_ns(CLOCK_REALTIME_COARSE)}; }
  int64_t monotonic_ns() override { return read_ns(CLOCK_MONOTONIC); }
};

}  // namespace

Clock& real_clock() {
  static RealClock clock;
  return clock;
}

Timestamp ManualClock::now() {
  const Lock lock(mutex_);
  return now_;
}

int64_t ManualClock::monotonic_ns() {
  const Lock lock(mutex_);
  return now_.ns;
}

void ManualClock::advance(int64_t ns) {
  const Lock lock(mutex_);
  now_.ns += ns;
}

}  // namespace nacre::os
