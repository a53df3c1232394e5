// What the devices of placement groups have of them: fragments, and marks of what was deleted.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>

#include "block/cluster_view.h"
#include "block/node_clients.h"
#include "os/clock.h"

namespace nacre::cluster {

struct Census {
  std::map<BlockId, uint32_t> has = {};  // by block: bit i for fragment i
  std::set<BlockId> deleted = {};        // marked on at least one device
  std::set<BlockId> fenced = {};         // on at least one
  // By group: bit i where the device that holds fragment i answered. One to which fragment i is
  // still on its way does not count, but its source does.
  std::map<uint32_t, uint32_t> listed = {};
  std::optional<Error> trouble = {};  // the last of those that did not answer

  bool is_whole(uint32_t pg, unsigned n) const;  // all n answered
};

struct CensusTakers {
  os::Clock& clock;
  block::NodeClients& clients;
};

// Asks the devices of these groups of the pool, which are in order; `except` that one. Those that
// are down or do not answer are left out. What is of other groups may be in it, too. Blocks; any
// thread may call it.
Census take_census(CensusTakers takers, const block::ClusterView& view, const wire::Pool& pool,
                   std::span<const uint32_t> pgs, wire::DeviceNumber except = wire::kNoDevice);

}  // namespace nacre::cluster
