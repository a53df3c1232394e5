// What a cluster map may not say: see fault_of() in wire/cluster_layout.h.
#include <fmt/format.h>

#include <algorithm>

#include "wire/cluster_layout.h"

namespace nacre::wire {
namespace {

// The first pair of neighbours that is not in ascending order, as the index of the second; or the
// number of elements.
template <class Element, class Key>
size_t first_disorder(const std::vector<Element>& elements, Key Element::* key) {
  const auto found = std::ranges::adjacent_find(
      elements, [](const Key& a, const Key& b) { return !(a < b); }, key);
  return static_cast<size_t>(found - elements.begin());
}

bool is_text(std::string_view text) {
  return text.size() <= kMaxNameBytes && std::ranges::none_of(text, [](char letter) {
           return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
         });
}

bool is_address(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (!is_text(text) || colon == std::string_view::npos || colon == 0) return false;
  const std::string_view port = text.substr(colon + 1);
  return !port.empty() && port.size() <= 5 &&
         std::ranges::all_of(port, [](char digit) { return digit >= '0' && digit <= '9'; });
}

std::string node_fault(const ClusterNode& node) {
  const std::string id = to_hex(node.id);
  if (node.id.is_zero()) return "a node without an id";
  if (!is_text(node.zone)) return fmt::format("node {} has an impossible zone", id);
  if (node.name.empty() || !is_text(node.name)) {
    return fmt::format("node {} has an impossible name", id);
  }
  if (node.addresses.size() > kMaxAddresses)
    return fmt::format("node {} has too many addresses", id);
  for (const std::string& address : node.addresses) {
    if (!is_address(address)) return fmt::format("node {} has an address without host:port", id);
  }
  return "";
}

std::string nodes_fault(const ClusterMap& map) {
  if (map.nodes.size() > kMaxClusterNodes) return "too many nodes";
  for (const ClusterNode& node : map.nodes) {
    if (std::string fault = node_fault(node); !fault.empty()) return fault;
  }
  if (first_disorder(map.nodes, &ClusterNode::id) != map.nodes.size()) {
    return "nodes out of order, or one twice";
  }
  return "";
}

std::string device_fault(const ClusterMap& map, const ClusterDevice& device) {
  const uint32_t number = device.number.value;
  if (device.number == kNoDevice || device.number >= map.next_device) {
    return fmt::format("device {} has a number that was never given", number);
  }
  if (device.id.is_zero()) return fmt::format("device {} has no id", number);
  if (map.find_node(device.node) == nullptr) {
    return fmt::format("device {} is on a node that there is not", number);
  }
  if (device.weight_bytes > kMaxDeviceWeight) return fmt::format("device {} is too large", number);
  if (device.state < DeviceState::kIn || device.state > DeviceState::kOut) {
    return fmt::format("device {} is in an unknown state", number);
  }
  return "";
}

std::string devices_fault(const ClusterMap& map) {
  if (map.devices.size() > kMaxClusterDevices) return "too many devices";
  if (map.next_device == kNoDevice || map.next_device.value > kMaxDeviceNumber) {
    return "an impossible next device number";
  }
  std::vector<DeviceId> ids;
  for (const ClusterDevice& device : map.devices) {
    if (std::string fault = device_fault(map, device); !fault.empty()) return fault;
    ids.push_back(device.id);
  }
  if (first_disorder(map.devices, &ClusterDevice::number) != map.devices.size()) {
    return "devices out of order, or one twice";
  }
  std::ranges::sort(ids);
  if (std::ranges::adjacent_find(ids) != ids.end()) return "two devices of the same id";
  return "";
}

std::string pool_fault(const Pool& pool) {
  if (!pool.code.is_valid()) return fmt::format("pool {} has an impossible code", pool.id);
  if (pool.span_bits > kPlacementBits || pool.first_placement % pool.span() != 0 ||
      pool.first_placement + pool.span() > kPlacements) {
    return fmt::format("pool {} has an impossible range of placements", pool.id);
  }
  if (pool.pg_count == 0 || pool.pg_count > pool.span()) {
    return fmt::format("pool {} has {} groups for {} placements", pool.id, pool.pg_count,
                       pool.span());
  }
  return "";
}

std::string pools_fault(const ClusterMap& map) {
  if (map.pools.size() > kMaxPools) return "too many pools";
  for (const Pool& pool : map.pools) {
    if (std::string fault = pool_fault(pool); !fault.empty()) return fault;
  }
  if (first_disorder(map.pools, &Pool::id) != map.pools.size()) {
    return "pools out of order, or one twice";
  }
  for (const Pool& pool : map.pools) {
    for (const Pool& other : map.pools) {
      // Aligned powers of two overlap only when one holds the other's beginning.
      if (pool.id != other.id && pool.owns(other.first_placement)) {
        return fmt::format("pools {} and {} share placements", pool.id, other.id);
      }
    }
  }
  return "";
}

}  // namespace

std::string fault_of(const ClusterMap& map) {
  if (map.cluster.is_zero()) return "no cluster id";
  if (std::string fault = nodes_fault(map); !fault.empty()) return fault;
  if (std::string fault = devices_fault(map); !fault.empty()) return fault;
  return pools_fault(map);
}

}  // namespace nacre::wire
