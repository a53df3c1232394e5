// Clusters as tests speak of them, and the rules that every table of theirs keeps.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/units.h"
#include "place/pool.h"
#include "place/react.h"
#include "place/share.h"
#include "place/topology.h"
#include "wire/pg_layout.h"

namespace nacre::place {

using wire::DeviceNumber;
using wire::DeviceState;
using wire::kLost;
using wire::kNoDevice;
using wire::PgTable;

// How many seeds random tests try: NACRE_SEEDS, or `otherwise`.
inline int seeds_or(int otherwise) {
  const char* const wanted = std::getenv("NACRE_SEEDS");
  return wanted == nullptr ? otherwise : std::atoi(wanted);
}

struct TestCluster {
  wire::ClusterMap map{.cluster = {1, 1}, .epoch = 1};

  // Zones z0, z1, …, with that many nodes each, with that many devices of 1 TiB each.
  static TestCluster of(unsigned zones, unsigned nodes, unsigned devices) {
    TestCluster cluster;
    for (unsigned zone = 0; zone < zones; ++zone) {
      for (unsigned node = 0; node < nodes; ++node) cluster.add_node(zone, devices);
    }
    return cluster;
  }

  wire::NodeId add_node(unsigned zone, unsigned devices, uint64_t weight_bytes = kTiB) {
    const wire::NodeId id{0, ++node_count};
    map.nodes.push_back(
        {.id = id, .zone = fmt::format("z{}", zone), .name = fmt::format("n{}", node_count)});
    for (unsigned i = 0; i < devices; ++i) add_device(id, weight_bytes);
    return id;
  }
  DeviceNumber add_device(wire::NodeId node, uint64_t weight_bytes = kTiB) {
    const DeviceNumber number = map.next_device;
    ++map.next_device.value;
    map.devices.push_back(
        {.number = number, .id = {7, number.value}, .node = node, .weight_bytes = weight_bytes});
    return number;
  }
  wire::ClusterDevice& device(DeviceNumber number) {
    return *std::ranges::find(map.devices, number, &wire::ClusterDevice::number);
  }
  void set(DeviceNumber number, DeviceState state) { device(number).state = state; }
  void set_node(wire::NodeId node, DeviceState state) {
    for (wire::ClusterDevice& each : map.devices) {
      if (each.node == node) each.state = state;
    }
  }
  void remove(DeviceNumber number) {
    std::erase_if(map.devices, [&](const auto& each) { return each.number == number; });
  }

  uint64_t node_count = 0;
};

inline wire::Pool pool_of(codec::ErasureCode code, uint32_t pg_count) {
  return {.id = 1, .code = code, .first_placement = 0, .span_bits = 20, .pg_count = pg_count};
}

// As if all data had been moved and rebuilt.
inline void finish_all(PgTable& table) {
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    std::ranges::fill(table.sources(pg), kNoDevice);
    table.set_stale(pg, false);
  }
}

// Fragments of each usable device, by slot.
inline std::vector<uint32_t> counts_of(const Topology& topology, const PgTable& table) {
  std::vector<uint32_t> counts(topology.slots());
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    for (const DeviceNumber device : table.devices(pg)) {
      if (const uint32_t slot = topology.slot_of(device); slot != kNoSlot) ++counts[slot];
    }
  }
  return counts;
}

// The rule that a group breaks, or nothing.
inline std::string broken_rule(const Topology& topology, const PgTable& table, uint32_t pg) {
  if (std::string fault = wire::fault_of(table.group(pg), table.n()); !fault.empty()) return fault;
  std::map<uint32_t, unsigned> in_node, in_zone;
  unsigned placed = 0, elsewhere = 0;
  for (unsigned i = 0; i < table.n(); ++i) {
    const DeviceNumber device = table.devices(pg)[i], source = table.sources(pg)[i];
    if (device == kNoDevice) continue;
    if (!topology.is_readable(device)) return "a device that cannot be read";
    if (source != kNoDevice && source != kLost && !topology.is_readable(source)) {
      return "a source that cannot be read";
    }
    const uint32_t slot = topology.slot_of(device);
    if (slot == kNoSlot) {
      ++elsewhere;
      continue;
    }
    ++placed;
    if (++in_node[topology.node_of(slot)] > topology.node_cap()) return "a node holds too many";
    if (++in_zone[topology.zone_of(slot)] > topology.zone_cap()) return "a zone holds too many";
  }
  if (placed < topology.capacity()) return fmt::format("only {} of them are placed", placed);
  if (elsewhere > 0 && placed >= topology.n()) return "one stays on a leaving device for nothing";
  return "";
}

inline ::testing::AssertionResult keeps_rules(const wire::ClusterMap& map, const PgTable& table) {
  const Topology topology(map, table.n());
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    if (const std::string rule = broken_rule(topology, table, pg); !rule.empty()) {
      return ::testing::AssertionFailure() << "group " << pg << ": " << rule;
    }
  }
  return ::testing::AssertionSuccess();
}

// Whether every device holds its share to within 5 % or `slack` fragments.
inline ::testing::AssertionResult is_balanced(const wire::ClusterMap& map, const PgTable& table,
                                              double slack = 1.0) {
  const Topology topology(map, table.n());
  const std::vector<double> shares = shares_of(topology);
  const std::vector<uint32_t> counts = counts_of(topology, table);
  for (uint32_t slot = 0; slot < topology.slots(); ++slot) {
    const double wanted = shares[slot] * table.size();
    if (std::abs(counts[slot] - wanted) > std::max(slack + 0.001, wanted / 20)) {
      return ::testing::AssertionFailure() << "device " << topology.device(slot).value << " holds "
                                           << counts[slot] << " fragments instead of " << wanted;
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace nacre::place
