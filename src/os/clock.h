// Time. Code takes a Clock& so that tests and simulation can set it.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "os/mutex.h"

namespace nacre::os {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time; may jump. Coarse: the kernel's tick, so that file times match the kernel's own.
  virtual Timestamp now() = 0;
  // Nanoseconds that only go forward; for intervals and deadlines.
  virtual int64_t monotonic_ns() = 0;
};

// The machine's clock; lives as long as the process.
Clock& real_clock();

// Stands still until told otherwise. Safe from any thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start = {1'700'000'000'000'000'000}) : now_(start) {}
  Timestamp now() override;
  int64_t monotonic_ns() override;
  void advance(int64_t ns);

 private:
  Mutex mutex_;
  Timestamp now_ GUARDED_BY(mutex_);
};

}  // namespace nacre::os
