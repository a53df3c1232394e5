// Whether history must give way: pure functions over the volume's figures.
#pragma once

#include <algorithm>

#include "fs/volume.h"
#include "keeper/retention.h"

namespace nacre::keeper {

struct Pressure {
  bool over_budget = false;     // history and garbage hold more than their share
  bool short_of_space = false;  // little is free without giving history up
  bool critical = false;        // the reserve itself is in danger: young history goes too

  bool any() const { return over_budget || short_of_space || critical; }
};

// Room for new data with all history kept.
inline uint64_t free_bytes(const fs::VolumeUsage& usage) {
  return usage.available - std::min(usage.available, usage.reclaimable);
}

inline Pressure pressure_of(const fs::VolumeUsage& usage, const Policy& policy) {
  constexpr uint64_t kShortPart = 20;  // 5 % of capacity
  constexpr uint64_t kCriticalPart = 100;
  constexpr uint64_t kCriticalMost = 256 * kMiB;
  const uint64_t free = free_bytes(usage);
  const bool reclaimable = usage.reclaimable > 0;
  Pressure pressure;
  pressure.over_budget =
      reclaimable && usage.reclaimable >= usage.capacity / 100 * policy.history_budget_percent;
  pressure.short_of_space = reclaimable && free < usage.capacity / kShortPart;
  pressure.critical = reclaimable && free < std::min(usage.capacity / kCriticalPart, kCriticalMost);
  return pressure;
}

}  // namespace nacre::keeper
