#include "place/topology.h"

#include <algorithm>
#include <tuple>

namespace nacre::place {
namespace {

// A usable device with what it is sorted by.
struct Usable {
  const wire::ClusterNode* node;
  const wire::ClusterDevice* device;
};

bool is_usable(const wire::ClusterDevice& device) {
  return device.state == wire::DeviceState::kIn && device.weight_bytes > 0;
}

// Not thread-safe to call with a map that changes; pointers are into the map.
std::vector<Usable> usable_of(const wire::ClusterMap& map) {
  std::vector<Usable> usable;
  for (const wire::ClusterDevice& device : map.devices) {
    if (is_usable(device)) usable.push_back({map.find_node(device.node), &device});
  }
  std::ranges::sort(usable, {}, [](const Usable& each) {
    return std::tie(each.node->zone, each.node->id, each.device->number);
  });
  return usable;
}

}  // namespace

Topology::Topology(const wire::ClusterMap& map, unsigned n) : n_(n) {
  slot_of_.reserve(map.devices.size());
  for (const wire::ClusterDevice& device : map.devices) {
    if (!is_gone(device.state)) slot_of_.emplace(device.number, kNoSlot);
  }
  add_devices(map);
  choose_caps();
}

void Topology::add_devices(const wire::ClusterMap& map) {
  const wire::ClusterNode* node = nullptr;
  for (const Usable& each : usable_of(map)) {
    const uint32_t slot = slots();
    if (node == nullptr || each.node->zone != node->zone) {
      const auto first_node = static_cast<uint32_t>(nodes_.size());
      zones_.push_back({slot, slot});
      zone_nodes_.push_back({first_node, first_node});
    }
    if (each.node != node) {
      nodes_.push_back({slot, slot});
      zone_of_node_.push_back(static_cast<uint32_t>(zones_.size() - 1));
      ++zone_nodes_.back().end;
    }
    node = each.node;
    devices_.push_back(each.device->number);
    weights_.push_back(static_cast<double>(each.device->weight_bytes));
    node_of_.push_back(static_cast<uint32_t>(nodes_.size() - 1));
    slot_of_[each.device->number] = slot;
    nodes_.back().end = zones_.back().end = slot + 1;
  }
}

uint64_t Topology::room_of_zone(uint32_t zone, uint64_t node_cap) const {
  uint64_t room = 0;
  for (uint32_t node = zone_nodes_[zone].begin; node < zone_nodes_[zone].end; ++node) {
    room += std::min<uint64_t>(nodes_[node].size(), node_cap);
  }
  return room;
}

void Topology::choose_caps() {
  capacity_ = std::min(n_, slots());
  std::vector<uint64_t> rooms(zones_.size());
  const auto room = [&](uint64_t zone_cap) {
    uint64_t sum = 0;
    for (const uint64_t each : rooms) sum += std::min(each, zone_cap);
    return sum;
  };
  for (node_cap_ = 1; node_cap_ < n_; ++node_cap_) {
    for (uint32_t zone = 0; zone < rooms.size(); ++zone)
      rooms[zone] = room_of_zone(zone, node_cap_);
    if (room(n_) >= capacity_) break;
  }
  for (uint32_t zone = 0; zone < rooms.size(); ++zone) rooms[zone] = room_of_zone(zone, node_cap_);
  for (zone_cap_ = 1; zone_cap_ < n_ && room(zone_cap_) < capacity_;) ++zone_cap_;
}

uint32_t Topology::slot_of(wire::DeviceNumber device) const {
  const auto found = slot_of_.find(device);
  return found == slot_of_.end() ? kNoSlot : found->second;
}

}  // namespace nacre::place
