#include "block/cluster_view.h"

#include <fmt/format.h>

#include "wire/cursor.h"

namespace nacre::block {

Result<Location> ClusterView::locate(BlockId id) const {
  const wire::Pool* const pool = map.pool_of(id);
  if (pool == nullptr) {
    return Error(Code::kNotFound, fmt::format("{}: the cluster gives no such ids", to_hex(id)));
  }
  return group(*pool, pool->pg_of(wire::placement_of(id)));
}

Location ClusterView::group(const wire::Pool& pool, uint32_t pg) const {
  const wire::PgTable& table = tables.at(pool.id);
  return {.pool = &pool, .pg = pg, .devices = table.devices(pg), .sources = table.sources(pg)};
}

const wire::ClusterNode* ClusterView::node_of(wire::DeviceNumber device) const {
  const wire::ClusterDevice* const found = map.find_device(device);
  if (found == nullptr || is_gone(found->state)) return nullptr;
  return map.find_node(found->node);
}

bool ClusterView::is_up(wire::DeviceNumber device) const {
  const wire::ClusterNode* const node = node_of(device);
  return node != nullptr && up.contains(node->id);
}

std::string encode_view(const ClusterView& view) {
  std::string bytes;
  wire::Writer out(bytes);
  out.sized(wire::encode_cluster_map(view.map));
  for (const wire::Pool& pool : view.map.pools) {
    const wire::PgTable& table = view.tables.at(pool.id);
    for (uint32_t chunk = 0; chunk < wire::chunk_count_of(pool.pg_count); ++chunk) {
      out.sized(wire::encode_pg_chunk(table, chunk));
    }
  }
  out.varint(view.up.size());
  for (const wire::NodeId node : view.up) out.id(node);
  return bytes;
}

Result<ClusterView> decode_view(std::string_view bytes) {
  wire::Reader in(bytes);
  ClusterView view;
  view.map = TRY(wire::decode_cluster_map(in.sized()));
  for (const wire::Pool& pool : view.map.pools) {
    wire::PgTable& table = view.tables.emplace(pool.id, wire::PgTable(pool)).first->second;
    for (uint32_t chunk = 0; chunk < wire::chunk_count_of(pool.pg_count); ++chunk) {
      if (TRY(wire::apply_pg_chunk(in.sized(), table)) != chunk) in.fail();
    }
  }
  const uint64_t count = in.varint();
  if (count > wire::kMaxClusterNodes) in.fail();
  for (uint64_t i = 0; i < count && in.ok(); ++i) view.up.insert(in.id<wire::NodeId>());
  TRY(in.finish("a view of the cluster"));
  return view;
}

}  // namespace nacre::block
