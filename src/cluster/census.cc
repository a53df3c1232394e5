#include "cluster/census.h"

#include <bit>
#include <functional>

#include "block/cluster_calls.h"

namespace nacre::cluster {
namespace {

// Each page has a node look through its whole index.
constexpr uint32_t kPage = block::kListedMax;
constexpr int64_t kListLimitNs = 10'000'000'000;

uint32_t first_placement(const wire::Pool& pool, uint64_t pg) {
  // The least placement p with p * pg_count >> span_bits == pg.
  const uint64_t scaled = pg << pool.span_bits;
  return pool.first_placement + static_cast<uint32_t>((scaled + pool.pg_count - 1) / pool.pg_count);
}

Status list(CensusTakers takers, const block::ClusterView& view, block::ListFragments call,
            const std::function<void(const block::ListedFragment&)>& take) {
  const wire::ClusterNode* const node = view.node_of(call.device);
  if (node == nullptr) return Error(Code::kUnavailable, "a device is gone");
  rpc::Client* const client = TRY(takers.clients.of(*node));
  for (;;) {
    const rpc::Reply reply =
        TRY(client->call({.method = static_cast<uint16_t>(block::Method::kListFragments),
                          .header = encode(call),
                          .deadline_ns = takers.clock.monotonic_ns() + kListLimitNs}));
    const auto page = TRY(block::decode_fragment_list(reply.payload.view()));
    for (const block::ListedFragment& each : page) take(each);
    if (page.size() < call.limit) return {};
    call.after = page.back().id;
    call.after_fragment = page.back().fragment;
  }
}

// Position i of these groups is held by that device.
void note_listed(const wire::PgTable& table, std::span<const uint32_t> pgs,
                 wire::DeviceNumber device, Census& census) {
  for (const uint32_t pg : pgs) {
    for (unsigned i = 0; i < table.n(); ++i) {
      const wire::DeviceNumber source = table.sources(pg)[i];
      const wire::DeviceNumber holder = source == wire::kNoDevice ? table.devices(pg)[i] : source;
      if (holder == device) census.listed[pg] |= 1u << i;
    }
  }
}

}  // namespace

bool Census::is_whole(uint32_t pg, unsigned n) const {
  const auto found = listed.find(pg);
  return found != listed.end() && std::popcount(found->second) == static_cast<int>(n);
}

Census take_census(CensusTakers takers, const block::ClusterView& view, const wire::Pool& pool,
                   std::span<const uint32_t> pgs, wire::DeviceNumber except) {
  const wire::PgTable& table = view.tables.at(pool.id);
  std::set<wire::DeviceNumber> devices;
  for (const uint32_t pg : pgs) {
    devices.insert(table.devices(pg).begin(), table.devices(pg).end());
    devices.insert(table.sources(pg).begin(), table.sources(pg).end());
  }
  Census census;
  for (const wire::DeviceNumber device : devices) {
    if (device == except || !view.is_up(device)) continue;
    const block::ListFragments call{
        .device = device,
        .first_placement = first_placement(pool, pgs.front()),
        .last_placement = first_placement(pool, uint64_t{pgs.back()} + 1) - 1,
        .limit = kPage,
        .min_epoch = view.map.epoch};
    const Status listed = list(takers, view, call, [&](const block::ListedFragment& each) {
      if ((each.fragment & block::kDeletedMark) != 0) {
        census.deleted.insert(each.id);
      } else if ((each.fragment & block::kFence) != 0) {
        census.fenced.insert(each.id);
      } else if (each.fragment < codec::kMaxFragments) {
        census.has[each.id] |= 1u << each.fragment;
      }
    });
    if (listed.ok()) {
      note_listed(table, pgs, device, census);
    } else {
      census.trouble = listed.error();
    }
  }
  return census;
}

}  // namespace nacre::cluster
