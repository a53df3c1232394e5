// The usable devices of a cluster map in the order of the failure domains, and how many fragments
// of one placement group a node and a zone may hold. Immutable once made; safe from any thread.
//
// A device is usable when it is kIn and has weight; each has a *slot*, 0 to slots()-1. The slots of
// a node are neighbours, and so are those of a zone. Nodes and zones without usable devices are not
// here.
//
// Of a group of n fragments a device holds one; a node no more than node_cap(), the least number by
// which all nodes together can hold n; a zone no more than zone_cap(), the least by which, with
// that, all zones can. So nodes are distinct wherever there are n of them, and zones likewise.
// Where there are fewer devices than n, a group has room for capacity() fragments only.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "wire/cluster_layout.h"

namespace nacre::place {

inline constexpr uint32_t kNoSlot = UINT32_MAX;

struct SlotRange {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t size() const { return end - begin; }
  bool contains(uint32_t slot) const { return slot >= begin && slot < end; }
};

class Topology {
 public:
  // For groups of `n` fragments.
  Topology(const wire::ClusterMap& map, unsigned n);

  unsigned n() const { return n_; }
  uint32_t slots() const { return static_cast<uint32_t>(devices_.size()); }
  wire::DeviceNumber device(uint32_t slot) const { return devices_[slot]; }
  double weight(uint32_t slot) const { return weights_[slot]; }
  // Indexes into nodes() and zones().
  uint32_t node_of(uint32_t slot) const { return node_of_[slot]; }
  uint32_t zone_of(uint32_t slot) const { return zone_of_node_[node_of_[slot]]; }
  const std::vector<SlotRange>& nodes() const { return nodes_; }
  // As slots, and as nodes.
  const std::vector<SlotRange>& zones() const { return zones_; }
  const std::vector<SlotRange>& zone_nodes() const { return zone_nodes_; }

  // kNoSlot for what is not usable.
  uint32_t slot_of(wire::DeviceNumber device) const;
  // Whether fragments can be read from it: in the map and not failed.
  bool is_readable(wire::DeviceNumber device) const { return slot_of_.contains(device); }

  unsigned node_cap() const { return node_cap_; }
  unsigned zone_cap() const { return zone_cap_; }
  unsigned capacity() const { return capacity_; }

 private:
  void add_devices(const wire::ClusterMap& map);
  void choose_caps();
  uint64_t room_of_zone(uint32_t zone, uint64_t node_cap) const;

  unsigned n_;
  std::vector<wire::DeviceNumber> devices_;
  std::vector<double> weights_;
  std::vector<uint32_t> node_of_;
  std::vector<uint32_t> zone_of_node_;
  std::vector<SlotRange> nodes_, zones_, zone_nodes_;
  std::unordered_map<wire::DeviceNumber, uint32_t> slot_of_;  // of all that are readable
  unsigned node_cap_ = 0, zone_cap_ = 0, capacity_ = 0;
};

}  // namespace nacre::place
