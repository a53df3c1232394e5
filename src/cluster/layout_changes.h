// What can be done to a cluster's state, as changes for Registry::change(). Each leaves tables that
// the map wants (place/react.h). Pure.
#pragma once

#include "cluster/registry.h"
#include "place/health.h"

namespace nacre::cluster {

// Adds the node, or gives it new words and addresses.
Status put_node(ClusterState& state, const wire::ClusterNode& node);
// kNotFound; kBusy while it has devices.
Status forget_node(ClusterState& state, wire::NodeId node);
// kExists when the device is of another node.
Status add_device(ClusterState& state, wire::DeviceId id, wire::NodeId node, uint64_t weight_bytes);
// kNotFound. A device that leaves is drained, and then forgotten (forget_empty_devices()); one that
// failed is rebuilt elsewhere from what others have.
Status set_device_state(ClusterState& state, wire::DeviceId id, wire::DeviceState device_state);
// Whether a node that is down can be given up: every block can be read without it, more than half
// of the nodes are up, and these can take all fragments as far apart as they are now.
bool can_do_without(const ClusterState& state, wire::NodeId node, const place::IsUp& is_up);
// Its devices that are in use count as gone from now on, or those that are out are in use again.
Status set_node_out(ClusterState& state, wire::NodeId node, bool out);
// Those that leave or failed and have nothing any more.
Status forget_empty_devices(ClusterState& state);
// A pool for blocks of that code; one that is there is left alone.
Status ensure_pool(ClusterState& state, codec::ErasureCode code);
// The fragment at that position is complete on its device.
Status finish_move(ClusterState& state, uint16_t pool, uint32_t pg, unsigned position,
                   wire::DeviceNumber device);

}  // namespace nacre::cluster
