// The first table of a pool. Pure.
#pragma once

#include "wire/cluster_layout.h"
#include "wire/pg_layout.h"

namespace nacre::place {

// A table for a pool that holds no data yet. Each group's devices are distinct and obey the failure
// domains (place/topology.h); every device gets its share of the fragments (place/share.h) to
// within one; and which devices share groups is random, so that what one of them held is rebuilt
// from all others. Where there are fewer devices than fragments the last positions stay kNoDevice.
// The same map and pool give the same table. Takes time in proportion to the table.
wire::PgTable initial_layout(const wire::ClusterMap& map, const wire::Pool& pool);

}  // namespace nacre::place
