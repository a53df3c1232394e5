// How many fragments of a pool each device is to hold: in proportion to its weight, as far as the
// failure domains allow. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "place/topology.h"

namespace nacre::place {

// For each slot the part of all groups that have a fragment on it, 0 to 1; together capacity().
// All devices get the same multiple of their weight, except those whose node or zone is full: what
// they cannot take falls to the others in proportion.
std::vector<double> shares_of(const Topology& topology);

// The same as whole fragments of `pg_count` groups, together capacity() × pg_count. Devices, nodes
// and zones get their share rounded up or down, and it is rounded towards `counts`, what each slot
// holds now, so that rounding alone moves nothing.
std::vector<uint32_t> targets_of(const Topology& topology, uint32_t pg_count,
                                 std::span<const uint32_t> counts);

}  // namespace nacre::place
