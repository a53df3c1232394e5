#include "place/durability.h"

#include <algorithm>
#include <cmath>

namespace nacre::place {
namespace {

constexpr double kSecondsPerHour = 3600;

Status check(const DurabilityInput& input) {
  const auto refuse = [](const char* what) { return Error(Code::kInvalid, what); };
  if (!input.code.is_valid()) return refuse("an impossible code");
  if (input.devices < input.code.n()) return refuse("there are fewer devices than fragments");
  if (input.pg_count == 0) return refuse("there are no placement groups");
  // Written so that what is no number is refused as well.
  if (!(input.annual_failure_rate > 0 && input.annual_failure_rate < 1)) {
    return refuse("the annual failure rate is more than 0 % and less than 100 %");
  }
  if (!(input.rebuild_bytes_per_second > 0)) return refuse("the rebuild rate is more than 0");
  if (!(input.device_bytes >= 0)) return refuse("the size of a device is not negative");
  if (!(input.detection_hours >= 0)) return refuse("the time until detection is not negative");
  return {};
}

// Other devices that hold fragments of the same groups.
double peers_of(const DurabilityInput& input) {
  const double n = input.code.n(), devices = static_cast<double>(input.devices);
  const double groups_per_device = static_cast<double>(input.pg_count) * n / devices;
  return std::max(1.0, std::min(devices - 1, groups_per_device * (n - 1)));
}

double rebuild_hours(const DurabilityInput& input) {
  // Each byte is written once, for which k are read.
  const double bytes = input.device_bytes * (input.code.k + 1.0);
  const double rate = input.rebuild_bytes_per_second * peers_of(input);
  return input.detection_hours + bytes / rate / kSecondsPerHour;
}

// Sets of n devices that can lose data: no more than there are groups, nor than there are such
// sets.
double distinct_groups(const DurabilityInput& input) {
  const double n = input.code.n(), devices = static_cast<double>(input.devices);
  const double log_sets =
      std::lgamma(devices + 1) - std::lgamma(n + 1) - std::lgamma(devices - n + 1);
  const auto groups = static_cast<double>(input.pg_count);
  return log_sets < std::log(groups) ? std::max(1.0, std::round(std::exp(log_sets))) : groups;
}

}  // namespace

double group_mttdl_hours(codec::ErasureCode code, double failure_rate, double repair_rate) {
  double total = 0, step = 0;  // `step`: the mean time from i lost fragments to i + 1
  for (unsigned lost = 0; lost <= code.m; ++lost) {
    const double failures = (code.n() - lost) * failure_rate;
    step = lost == 0 ? 1 / failures : (1 + repair_rate * step) / failures;
    total += step;
  }
  return total;
}

Result<Durability> durability_of(const DurabilityInput& input) {
  TRY(check(input));
  Durability durability;
  durability.device_mttf_hours = -kHoursPerYear / std::log1p(-input.annual_failure_rate);
  durability.rebuild_hours = std::max(rebuild_hours(input), 1e-9);
  durability.group_mttdl_hours =
      group_mttdl_hours(input.code, 1 / durability.device_mttf_hours, 1 / durability.rebuild_hours);
  durability.cluster_mttdl_hours = durability.group_mttdl_hours / distinct_groups(input);
  durability.annual_loss_probability = -std::expm1(-kHoursPerYear / durability.cluster_mttdl_hours);
  const double nines = -std::log10(durability.annual_loss_probability);
  durability.nines = static_cast<unsigned>(std::clamp(std::floor(nines), 0.0, 99.0));
  return durability;
}

}  // namespace nacre::place
