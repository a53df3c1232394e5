#include "cluster/layout_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "place/health.h"
#include "place/layout.h"
#include "place/pool.h"
#include "place/react.h"

namespace nacre::cluster {
namespace {

Status react(ClusterState& state) {
  TRY(place::validate(state.map));
  // What changes carries the epoch that the change will have.
  wire::ClusterMap next = state.map;
  ++next.epoch;
  for (const wire::Pool& pool : next.pools) {
    state.tables.at(pool.id) = place::react(next, pool, state.tables.at(pool.id)).table;
  }
  return {};
}

wire::ClusterDevice* find_device(ClusterState& state, wire::DeviceId id) {
  const auto found = std::ranges::find(state.map.devices, id, &wire::ClusterDevice::id);
  return found == state.map.devices.end() ? nullptr : &*found;
}

}  // namespace

Status put_node(ClusterState& state, const wire::ClusterNode& node) {
  auto& nodes = state.map.nodes;
  const auto place = std::ranges::lower_bound(nodes, node.id, {}, &wire::ClusterNode::id);
  if (place != nodes.end() && place->id == node.id) {
    *place = node;
  } else {
    nodes.insert(place, node);
  }
  return react(state);
}

Status forget_node(ClusterState& state, wire::NodeId node) {
  const auto has = std::ranges::count(state.map.devices, node, &wire::ClusterDevice::node);
  if (has != 0) {
    return Error(Code::kBusy,
                 fmt::format("node {} has {} device{}; `nacre device remove` lets go of "
                             "what it has",
                             to_hex(node), has, has == 1 ? "" : "s"));
  }
  const auto known = std::ranges::find(state.map.nodes, node, &wire::ClusterNode::id);
  if (known == state.map.nodes.end()) {
    return Error(Code::kNotFound, "there is no node " + to_hex(node));
  }
  state.map.nodes.erase(known);
  return react(state);
}

Status add_device(ClusterState& state, wire::DeviceId id, wire::NodeId node,
                  uint64_t weight_bytes) {
  wire::ClusterDevice* const known = find_device(state, id);
  if (known != nullptr && known->node != node) {
    return Error(Code::kExists, fmt::format("device {} is of another node", to_hex(id)));
  }
  if (known != nullptr) {
    known->weight_bytes = weight_bytes;
    known->state = wire::DeviceState::kIn;
  } else {
    state.map.devices.push_back(
        {.number = state.map.next_device, .id = id, .node = node, .weight_bytes = weight_bytes});
    ++state.map.next_device.value;
  }
  return react(state);
}

Status set_device_state(ClusterState& state, wire::DeviceId id, wire::DeviceState device_state) {
  wire::ClusterDevice* const device = find_device(state, id);
  if (device == nullptr) return Error(Code::kNotFound, "there is no device " + to_hex(id));
  device->state = device_state;
  return react(state);
}

bool can_do_without(const ClusterState& state, wire::NodeId node, const place::IsUp& is_up) {
  std::set<wire::NodeId> nodes;
  std::set<wire::NodeId> others;
  size_t other_devices = 0;
  for (const wire::ClusterDevice& device : state.map.devices) {
    if (device.state != wire::DeviceState::kIn) continue;
    nodes.insert(device.node);
    if (device.node == node || !is_up(device.number)) continue;
    others.insert(device.node);
    ++other_devices;
  }
  if (2 * others.size() <= nodes.size()) return false;
  for (const wire::Pool& pool : state.map.pools) {
    const size_t n = pool.code.n();
    if (other_devices < n || std::min(others.size(), n) < std::min(nodes.size(), n)) return false;
    const place::PoolHealth health = place::health_of(state.tables.at(pool.id), pool.code, is_up);
    if (health.worst() == place::PgState::kUnavailable) return false;
  }
  return true;
}

Status set_node_out(ClusterState& state, wire::NodeId node, bool out) {
  using enum wire::DeviceState;
  bool changed = false;
  for (wire::ClusterDevice& device : state.map.devices) {
    if (device.node != node || device.state != (out ? kIn : kOut)) continue;
    device.state = out ? kOut : kIn;
    changed = true;
  }
  return changed ? react(state) : Status();
}

Status forget_empty_devices(ClusterState& state) {
  std::set<wire::DeviceNumber> used;
  for (const auto& [pool, table] : state.tables) {
    for (uint32_t pg = 0; pg < table.size(); ++pg) {
      used.insert(table.devices(pg).begin(), table.devices(pg).end());
      used.insert(table.sources(pg).begin(), table.sources(pg).end());
    }
  }
  std::erase_if(state.map.devices, [&](const wire::ClusterDevice& device) {
    const bool stays =
        device.state == wire::DeviceState::kIn || device.state == wire::DeviceState::kOut;
    return !stays && !used.contains(device.number);
  });
  return {};
}

Status ensure_pool(ClusterState& state, codec::ErasureCode code) {
  if (place::find_pool(state.map, code) != nullptr) return {};
  const auto usable =
      std::ranges::count(state.map.devices, wire::DeviceState::kIn, &wire::ClusterDevice::state);
  if (usable < code.n()) {
    return Error(Code::kInvalid,
                 fmt::format("{} needs {} devices, and the cluster has {} in use; `nacre device "
                             "add` and `nacre node join` add some",
                             codec::to_string(code), code.n(), usable));
  }
  const wire::Pool pool = TRY(place::add_pool(state.map, code));
  wire::ClusterMap next = state.map;
  ++next.epoch;
  state.tables[pool.id] = place::initial_layout(next, pool);
  return {};
}

Status finish_move(ClusterState& state, uint16_t pool, uint32_t pg, unsigned position,
                   wire::DeviceNumber device) {
  const auto table = state.tables.find(pool);
  if (table == state.tables.end() || pg >= table->second.size()) return {};
  // Meanwhile the fragment may have been given to another device.
  if (table->second.devices(pg)[position] != device) return {};
  place::finish_move(table->second, pg, position);
  const auto sources = table->second.sources(pg);
  if (std::ranges::find(sources, wire::kLost) == sources.end()) {
    table->second.set_stale(pg, false);
  }
  return {};
}

}  // namespace nacre::cluster
