// The cluster map: nodes, devices and pools of a cluster, as values and as bytes. The bytes are
// described in docs/format/cluster.md; this is the only place that writes or reads them. The table
// of placement groups is beside it, in wire/pg_layout.h. Pure functions, safe from any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "codec/erasure_code.h"
#include "wire/device_layout.h"

namespace nacre::wire {

// The superblock of each device of a cluster carries its id as that of the volume.
using ClusterId = VolumeId;
using NodeId = Id128<struct NodeTag>;

// The short name of a device, given to it when it joins and never to another.
struct DeviceNumber {
  uint32_t value = 0;
  friend auto operator<=>(DeviceNumber, DeviceNumber) = default;
};
inline constexpr DeviceNumber kNoDevice{0};

inline constexpr size_t kMaxClusterNodes = 1u << 16;
inline constexpr size_t kMaxClusterDevices = 1u << 20;
inline constexpr size_t kMaxPools = 256;
inline constexpr size_t kMaxNameBytes = 255;
inline constexpr size_t kMaxAddresses = 16;
inline constexpr uint64_t kMaxDeviceWeight = uint64_t{1} << 50;
inline constexpr uint32_t kMaxDeviceNumber = UINT32_MAX - 1;

// The upper bits of a block's id, chosen at random, that decide where it lies.
inline constexpr unsigned kPlacementBits = 20;
inline constexpr uint32_t kPlacements = 1u << kPlacementBits;
inline uint32_t placement_of(BlockId id) {
  return static_cast<uint32_t>(id.high >> (64 - kPlacementBits));
}

enum class DeviceState : uint8_t {
  kIn = 1,
  kLeaving = 2,  // being drained: still readable, gets no new placement groups
  kFailed = 3,   // counts as gone: what it held is rebuilt from other fragments
  kOut = 4,      // as failed, because its node is away for long; back in when that is back
};
// Whether it counts as gone.
inline bool is_gone(DeviceState state) {
  return state == DeviceState::kFailed || state == DeviceState::kOut;
}

struct ClusterNode {
  NodeId id = {};
  std::string zone = {};  // what fails together: a rack, a room; empty: nobody said
  std::string name = {};
  std::vector<std::string> addresses = {};  // host:port
  friend bool operator==(const ClusterNode&, const ClusterNode&) = default;
};

struct ClusterDevice {
  DeviceNumber number = {};
  DeviceId id = {};
  NodeId node = {};
  uint64_t weight_bytes = 0;  // its share of the data is in proportion; 0: none, like kLeaving
  DeviceState state = DeviceState::kIn;
  friend bool operator==(const ClusterDevice&, const ClusterDevice&) = default;
};

// A range of placements whose blocks are protected alike.
struct Pool {
  uint16_t id = 0;
  codec::ErasureCode code = {};
  uint32_t first_placement = 0;
  uint8_t span_bits = 0;  // 2^span_bits placements; the first one is a multiple of that
  uint32_t pg_count = 1;

  uint64_t span() const { return uint64_t{1} << span_bits; }
  bool owns(uint32_t placement) const {
    return placement >= first_placement && placement - first_placement < span();
  }
  // The group of a placement that the pool owns.
  uint32_t pg_of(uint32_t placement) const {
    return static_cast<uint32_t>(uint64_t{placement - first_placement} * pg_count >> span_bits);
  }
  friend bool operator==(const Pool&, const Pool&) = default;
};

inline constexpr Features kKnownClusterFeatures{};

struct ClusterMap {
  Features features = {};
  ClusterId cluster = {};
  uint64_t epoch = 0;  // counts the changes of the map
  DeviceNumber next_device{1};
  std::vector<ClusterNode> nodes = {};      // by ascending id
  std::vector<ClusterDevice> devices = {};  // by ascending number
  std::vector<Pool> pools = {};             // by ascending id

  // These give nullptr for what there is not. Valid until the map changes.
  const ClusterNode* find_node(NodeId id) const;
  const ClusterDevice* find_device(DeviceNumber number) const;
  const Pool* find_pool(uint16_t id) const;
  const Pool* pool_of(BlockId id) const;

  // True when a later version used features that this one can read past but must not write over.
  bool must_stay_read_only() const {
    return (features.ro_compat & ~kKnownClusterFeatures.ro_compat) != 0;
  }
  friend bool operator==(const ClusterMap&, const ClusterMap&) = default;
};

// What is wrong with the map, for people; empty when nothing is.
std::string fault_of(const ClusterMap& map);

// The map must have no fault.
std::string encode_cluster_map(const ClusterMap& map);
// kCorrupt when the bytes are no map, are damaged or contradict themselves; kNewerFormat when they
// need a later version of Nacre. What decodes has no fault.
Result<ClusterMap> decode_cluster_map(ByteView bytes);

}  // namespace nacre::wire

template <>
struct std::hash<nacre::wire::DeviceNumber> {
  size_t operator()(nacre::wire::DeviceNumber number) const noexcept {
    return std::hash<uint32_t>()(number.value);
  }
};
