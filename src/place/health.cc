#include "place/health.h"

#include <algorithm>

#include "base/check.h"

namespace nacre::place {
namespace {

using wire::DeviceNumber;

PgState state_of(codec::ErasureCode code, unsigned available, bool moving, bool stale) {
  if (available < code.k) return PgState::kUnavailable;
  if (available == code.k && code.m > 0) return PgState::kAtRisk;
  if (available < code.n() || stale) return PgState::kDegraded;
  return moving ? PgState::kMoving : PgState::kClean;
}

}  // namespace

std::string_view name_of(PgState state) {
  switch (state) {
    case PgState::kClean:
      return "clean";
    case PgState::kMoving:
      return "moving";
    case PgState::kDegraded:
      return "degraded";
    case PgState::kAtRisk:
      return "at risk";
    case PgState::kUnavailable:
      return "unavailable";
  }
  return "";
}

PgHealth health_of(const wire::PgTable& table, uint32_t pg, codec::ErasureCode code,
                   const IsUp& is_up) {
  CHECK(table.n() == code.n());
  PgHealth health;
  bool moving = false;
  for (unsigned i = 0; i < table.n(); ++i) {
    const DeviceNumber device = table.devices(pg)[i], source = table.sources(pg)[i];
    moving |= source != wire::kNoDevice;
    const DeviceNumber holder = source == wire::kNoDevice ? device : source;
    if (holder != wire::kNoDevice && holder != wire::kLost && is_up(holder)) ++health.available;
  }
  health.state = state_of(code, health.available, moving, table.stale(pg));
  return health;
}

PgState PoolHealth::worst() const {
  for (size_t state = kPgStates; state-- > 1;) {
    if (groups[state] > 0) return static_cast<PgState>(state);
  }
  return PgState::kClean;
}

PoolHealth health_of(const wire::PgTable& table, codec::ErasureCode code, const IsUp& is_up) {
  PoolHealth health;
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    const PgHealth each = health_of(table, pg, code, is_up);
    ++health.groups[static_cast<size_t>(each.state)];
    health.fragments_missing += code.n() - each.available;
    health.fragments_moving += static_cast<uint64_t>(std::ranges::count_if(
        table.sources(pg), [](DeviceNumber source) { return source != wire::kNoDevice; }));
  }
  return health;
}

}  // namespace nacre::place
