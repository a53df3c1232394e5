// How well a placement group is while some devices are out of reach. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "wire/cluster_layout.h"
#include "wire/pg_layout.h"

namespace nacre::place {

// From good to bad.
enum class PgState : uint8_t {
  kClean,        // every fragment can be read where it belongs
  kMoving,       // every fragment can be read, some where they come from
  kDegraded,     // some cannot, or members may lack some; the blocks survive further losses
  kAtRisk,       // no more than k can be read: the next loss is one of data
  kUnavailable,  // fewer than k can be read
};
inline constexpr size_t kPgStates = 5;

// "clean", "moving", "degraded", "at risk" or "unavailable".
std::string_view name_of(PgState state);

struct PgHealth {
  unsigned available = 0;  // of the n fragments
  PgState state = PgState::kClean;
  friend bool operator==(const PgHealth&, const PgHealth&) = default;
};

// Whether a device answers.
using IsUp = std::function<bool(wire::DeviceNumber)>;

// Of one group, whose blocks have that code. A fragment is available where its source is up, and
// where it has none and its device is up. What members of a stale group lack besides is not known:
// such a group is kDegraded at best. A code without parity is never kAtRisk: it is as it was
// chosen.
PgHealth health_of(const wire::PgTable& table, uint32_t pg, codec::ErasureCode code,
                   const IsUp& is_up);

struct PoolHealth {
  std::array<uint64_t, kPgStates> groups = {};  // by state
  uint64_t fragments_missing = 0;
  uint64_t fragments_moving = 0;  // copied or rebuilt: with a source

  uint64_t in(PgState state) const { return groups[static_cast<size_t>(state)]; }
  // That of the group in the worst state.
  PgState worst() const;
};

// Of all groups.
PoolHealth health_of(const wire::PgTable& table, codec::ErasureCode code, const IsUp& is_up);

}  // namespace nacre::place
