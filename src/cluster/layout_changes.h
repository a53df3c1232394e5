// What can be done to a cluster's state, as changes for Registry::change(). Each leaves tables that
// the map wants (place/react.h). Pure.
#pragma once

#include "cluster/registry.h"

namespace nacre::cluster {

// Adds the node, or gives it new words and addresses.
Status put_node(ClusterState& state, const wire::ClusterNode& node);
// kExists when the device is of another node.
Status add_device(ClusterState& state, wire::DeviceId id, wire::NodeId node, uint64_t weight_bytes);
// kNotFound. A device that leaves is drained, and then forgotten (forget_empty_devices()); one that
// failed is rebuilt elsewhere from what others have.
Status set_device_state(ClusterState& state, wire::DeviceId id, wire::DeviceState device_state);
// Those that leave or failed and have nothing any more.
Status forget_empty_devices(ClusterState& state);
// A pool for blocks of that code; one that is there is left alone.
Status ensure_pool(ClusterState& state, codec::ErasureCode code);
// The fragment at that position is complete on its device.
Status finish_move(ClusterState& state, uint16_t pool, uint32_t pg, unsigned position,
                   wire::DeviceNumber device);

}  // namespace nacre::cluster
