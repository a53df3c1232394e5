// How likely a cluster loses data for good, from how often devices fail and how fast what they held
// is rebuilt. Pure. The model, its formulae and their limits are in docs/durability.md.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "codec/erasure_code.h"

namespace nacre::place {

inline constexpr double kHoursPerYear = 8766;

struct DurabilityInput {
  codec::ErasureCode code{4, 2};
  uint64_t devices = 12;
  uint64_t pg_count = 4096;
  double device_bytes = 0;  // what each of them holds
  // Part of the devices that fail within a year, 0 to 1: 0.02 is 2 %.
  double annual_failure_rate = 0.02;
  // What each device gives to rebuilding, reading and writing together.
  double rebuild_bytes_per_second = 100.0 * (1 << 20);
  // From a failure until rebuilding begins.
  double detection_hours = 0.25;
};

struct Durability {
  double device_mttf_hours = 0;
  double rebuild_hours = 0;        // of what one device held, by all others together
  double group_mttdl_hours = 0;    // mean time until one group has lost data
  double cluster_mttdl_hours = 0;  // until the first of all groups has
  double annual_loss_probability = 0;
  // Nines after which that leaves something: 11 for 3e-12. At most 99.
  unsigned nines = 0;
};

// kInvalid for values that cannot be; says which.
Result<Durability> durability_of(const DurabilityInput& input);

// The mean time until a group of n fragments has lost more than m, when each fails at
// `failure_rate` and one at a time is rebuilt at `repair_rate` (per hour both): a birth–death chain
// of m + 1 states and an end. Exact.
double group_mttdl_hours(codec::ErasureCode code, double failure_rate, double repair_rate);

}  // namespace nacre::place
