// Random numbers. Code takes a Random& so that simulation can seed it.
#pragma once

#include <cstdint>

#include "os/mutex.h"

namespace nacre::os {

// Safe from any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
};

// From the kernel's generator; lives as long as the process.
Random& real_random();

// The same numbers for the same seed (splitmix64).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t next() override;

 private:
  Mutex mutex_;
  uint64_t state_ GUARDED_BY(mutex_);
};

}  // namespace nacre::os
