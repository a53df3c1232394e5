#include "block/cluster_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "block/block_id.h"
#include "block/block_put.h"
#include "block/block_read.h"
#include "rpc/call_group.h"

namespace nacre::block {
namespace {

constexpr int kIdTries = 32;

// The id with its placement bits replaced.
BlockId with_placement(BlockId id, uint32_t placement) {
  constexpr unsigned kShift = 64 - wire::kPlacementBits;
  id.high = (id.high & ((uint64_t{1} << kShift) - 1)) | uint64_t{placement} << kShift;
  return id;
}

}  // namespace

ClusterBlocks::ClusterBlocks(os::Clock& clock, os::Random& random, ViewSource& views,
                             NodeClients& clients, ClusterBlocksOptions options)
    : clock_(clock), random_(random), views_(views), clients_(clients), options_(options) {}

const codec::ErasureCoder& ClusterBlocks::coder_of(codec::ErasureCode code) {
  const os::Lock lock(mutex_);
  std::unique_ptr<codec::ErasureCoder>& coder = coders_[code];
  if (coder == nullptr) coder = std::make_unique<codec::ErasureCoder>(code);
  return *coder;
}

Result<rpc::Client*> ClusterBlocks::client_of(const ClusterView& view, wire::DeviceNumber device) {
  const wire::ClusterNode* const node = view.node_of(device);
  if (node == nullptr) return Error(Code::kUnavailable, "no device has that fragment");
  return clients_.of(*node);
}

Result<BlockId> ClusterBlocks::choose_id(codec::ErasureCode code) {
  const std::shared_ptr<const ClusterView> view = views_.view();
  const auto pool = std::ranges::find(view->map.pools, code, &wire::Pool::code);
  if (pool == view->map.pools.end()) {
    return Error(Code::kNotFound, "the cluster has no pool of " + codec::to_string(code));
  }
  BlockId id;
  for (int i = 0; i < kIdTries; ++i) {
    id = make_block_id(random_);
    const auto within = static_cast<uint32_t>(random_.next() & (pool->span() - 1));
    id = with_placement(id, pool->first_placement + within);
    const Location location = view->group(*pool, pool->pg_of(wire::placement_of(id)));
    const bool all_up = std::ranges::all_of(
        location.devices, [&](wire::DeviceNumber device) { return view->is_up(device); });
    if (all_up) break;
  }
  return id;
}

Status ClusterBlocks::put(BlockId id, std::shared_ptr<const rpc::Buffer> block,
                          const BlockWords& words, Degraded degraded) {
  if (block->empty() || block->size() > kMaxBlockBytes) {
    return Error(Code::kInvalid, "a block has from 1 byte to 64 MiB");
  }
  return BlockPut(*this, id, std::move(block), words).run(degraded);
}

Result<rpc::Payload> ClusterBlocks::read(BlockId id, uint64_t block_bytes, uint64_t offset,
                                         uint64_t length) {
  return BlockRead(*this, id, block_bytes).read(offset, length);
}

Result<rpc::Payload> ClusterBlocks::rebuild(BlockId id, uint64_t block_bytes, unsigned i) {
  return BlockRead(*this, id, block_bytes).rebuild(i);
}

// Whether a read that failed so is worth another round, for which it waits and asks for the newest
// map. The pauses double from 25 ms on.
bool ClusterBlocks::try_again(int round, Code code) {
  if (round + 1 >= options_.rounds) return false;
  const bool away = is_out_of_reach(code);
  // What is not there, by an old map, may be elsewhere.
  if (!away && round > 0) return false;
  if (away && round > 0) {
    os::Mutex mutex;
    os::CondVar never;
    const os::Lock lock(mutex);
    never.wait_for(mutex, std::chrono::milliseconds(25 << round));
  }
  return views_.refresh().ok() || away;
}

void ClusterBlocks::report_damage(const ClusterView& view, BlockId id, unsigned fragment) {
  const auto location = view.locate(id);
  if (!location.ok()) return;
  const wire::DeviceNumber device = location->devices[fragment];
  const auto client = client_of(view, device);
  if (!client.ok()) return;
  const HealFragment call{
      .place = {.device = device, .id = id, .fragment = static_cast<uint16_t>(fragment)}};
  (*client)->start({.method = static_cast<uint16_t>(Method::kHealFragment), .header = encode(call)},
                   [](const Result<rpc::Reply>&) {});
}

ClusterCounters ClusterBlocks::counters() const {
  return {.degraded_writes = degraded_writes_,
          .degraded_reads = degraded_reads_,
          .hedged_reads = hedged_reads_,
          .damaged_fragments = damaged_fragments_};
}

}  // namespace nacre::block
