// The pools of a cluster: which codes its blocks may be protected by. Pure.
#pragma once

#include "base/result.h"
#include "wire/cluster_layout.h"

namespace nacre::place {

// The first pool of a cluster owns half of all placements, every other one a small part.
inline constexpr uint8_t kDefaultPoolSpanBits = wire::kPlacementBits - 1;
inline constexpr uint8_t kOtherPoolSpanBits = 14;

// kInvalid names what contradicts itself.
Status validate(const wire::ClusterMap& map);

// A power of two: as many groups as give each device 200 fragments, so that a fragment more or less
// is half a percent; at least 4096, for the number stays as it is while a cluster grows; at most
// what the span has placements for.
uint32_t choose_pg_count(const wire::ClusterMap& map, codec::ErasureCode code,
                         uint8_t span_bits = kDefaultPoolSpanBits);

// The pool whose blocks have that code; nullptr when there is none.
const wire::Pool* find_pool(const wire::ClusterMap& map, codec::ErasureCode code);

// Adds a pool for that code to the map and gives it; the map's epoch is for the caller to count.
// kExists when one has the code already, kNoSpace when all placements are given out.
Result<wire::Pool> add_pool(wire::ClusterMap& map, codec::ErasureCode code);

}  // namespace nacre::place
