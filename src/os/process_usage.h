// What this process takes of the machine, as /proc says. Safe from any thread.
#pragma once

#include <cstdint>

namespace nacre::os {

// What cannot be read is 0.
struct ProcessUsage {
  double cpu_seconds = 0;  // user and system, of all threads, since it started
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t threads = 0;
  uint64_t descriptors = 0;      // open now
  uint64_t descriptors_max = 0;  // that may be
};

ProcessUsage process_usage();

}  // namespace nacre::os
