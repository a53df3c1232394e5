#include "wire/cluster_layout.h"

#include <algorithm>

#include "base/check.h"
#include "wire/cursor.h"
#include "wire/frame.h"

namespace nacre::wire {
namespace {

constexpr FrameKind kMapFrame{"NacreMap", 1, kKnownClusterFeatures, "the cluster map"};

// The element whose key is given, in a vector sorted by it.
template <class Element, class Key>
const Element* find_by(const std::vector<Element>& elements, Key Element::* key, Key wanted) {
  const auto found = std::ranges::lower_bound(elements, wanted, {}, key);
  return found == elements.end() || (*found).*key != wanted ? nullptr : &*found;
}

void write_node(Writer& out, const ClusterNode& node) {
  out.id(node.id);
  out.sized(node.zone);
  out.sized(node.name);
  out.varint(node.addresses.size());
  for (const std::string& address : node.addresses) out.sized(address);
}

ClusterNode read_node(Reader& in) {
  ClusterNode node;
  node.id = in.id<NodeId>();
  node.zone = in.sized_text(kMaxNameBytes);
  node.name = in.sized_text(kMaxNameBytes);
  const uint64_t addresses = in.varint();
  if (addresses > kMaxAddresses) in.fail();
  for (uint64_t i = 0; i < addresses && in.ok(); ++i) {
    node.addresses.emplace_back(in.sized_text(kMaxNameBytes));
  }
  return node;
}

// Devices name their node by its place in the list: a quarter of a map's size less.
void write_device(Writer& out, const ClusterDevice& device, uint64_t node) {
  out.varint(device.number.value);
  out.id(device.id);
  out.varint(node);
  out.varint(device.weight_bytes);
  out.u8(static_cast<uint8_t>(device.state));
}

ClusterDevice read_device(Reader& in, const std::vector<ClusterNode>& nodes) {
  ClusterDevice device;
  const uint64_t number = in.varint();
  device.id = in.id<DeviceId>();
  const uint64_t node = in.varint();
  device.weight_bytes = in.varint();
  device.state = static_cast<DeviceState>(in.u8());
  if (number > kMaxDeviceNumber || node >= nodes.size()) {
    in.fail();
    return device;
  }
  device.number.value = static_cast<uint32_t>(number);
  device.node = nodes[static_cast<size_t>(node)].id;
  return device;
}

void write_pool(Writer& out, const Pool& pool) {
  out.u16(pool.id);
  out.u8(pool.code.k);
  out.u8(pool.code.m);
  out.u32(pool.first_placement);
  out.u8(pool.span_bits);
  out.u32(pool.pg_count);
}

Pool read_pool(Reader& in) {
  Pool pool;
  pool.id = in.u16();
  pool.code.k = in.u8();
  pool.code.m = in.u8();
  pool.first_placement = in.u32();
  pool.span_bits = in.u8();
  pool.pg_count = in.u32();
  return pool;
}

// A count, then that many elements: `read` takes one.
template <class Element, class Read>
std::vector<Element> read_list(Reader& in, uint64_t count_max, Read read) {
  std::vector<Element> elements;
  const uint64_t count = in.varint();
  if (count > count_max) in.fail();
  for (uint64_t i = 0; i < count && in.ok(); ++i) elements.push_back(read());
  return elements;
}

}  // namespace

const ClusterNode* ClusterMap::find_node(NodeId id) const {
  return find_by(nodes, &ClusterNode::id, id);
}

const ClusterDevice* ClusterMap::find_device(DeviceNumber number) const {
  return find_by(devices, &ClusterDevice::number, number);
}

const Pool* ClusterMap::find_pool(uint16_t id) const { return find_by(pools, &Pool::id, id); }

const Pool* ClusterMap::pool_of(BlockId id) const {
  const uint32_t placement = placement_of(id);
  const auto found =
      std::ranges::find_if(pools, [&](const Pool& pool) { return pool.owns(placement); });
  return found == pools.end() ? nullptr : &*found;
}

std::string encode_cluster_map(const ClusterMap& map) {
  CHECK(fault_of(map).empty());
  std::string body;
  Writer out(body);
  out.id(map.cluster);
  out.u64(map.epoch);
  out.u32(map.next_device.value);
  out.varint(map.nodes.size());
  for (const ClusterNode& node : map.nodes) write_node(out, node);
  out.varint(map.devices.size());
  for (const ClusterDevice& device : map.devices) {
    write_device(out, device, static_cast<uint64_t>(map.find_node(device.node) - map.nodes.data()));
  }
  out.varint(map.pools.size());
  for (const Pool& pool : map.pools) write_pool(out, pool);
  return encode_frame(kMapFrame, map.features, as_bytes(body));
}

Result<ClusterMap> decode_cluster_map(ByteView bytes) {
  const Framed framed = TRY(decode_frame(kMapFrame, bytes));
  Reader in(framed.body);
  ClusterMap map;
  map.features = framed.features;
  map.cluster = in.id<ClusterId>();
  map.epoch = in.u64();
  map.next_device.value = in.u32();
  map.nodes = read_list<ClusterNode>(in, kMaxClusterNodes, [&] { return read_node(in); });
  map.devices =
      read_list<ClusterDevice>(in, kMaxClusterDevices, [&] { return read_device(in, map.nodes); });
  map.pools = read_list<Pool>(in, kMaxPools, [&] { return read_pool(in); });
  TRY(in.finish("the cluster map"));
  if (std::string fault = fault_of(map); !fault.empty()) {
    return Error(Code::kCorrupt, "the cluster map contradicts itself: " + fault);
  }
  return map;
}

}  // namespace nacre::wire
