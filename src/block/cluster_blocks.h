// Blocks on the nodes of a cluster: each is coded into k+m fragments, which lie on the devices of
// its placement group. The client codes and decodes; nodes only keep fragments. Any thread may call
// everything.
//
// A put is durable on all devices of the group when it returns, unless it was allowed to be
// degraded. No read returns bytes other than those put: each fragment is checked on its device, on
// its way and, where all of it is read, against the sum that its writer noted.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "block/cluster_calls.h"
#include "block/cluster_view.h"
#include "block/node_clients.h"
#include "block/store.h"
#include "codec/erasure.h"
#include "os/clock.h"
#include "os/random.h"
#include "rpc/buffer.h"

namespace nacre::block {

struct ClusterBlocksOptions {
  int64_t write_limit_ns = 20'000'000'000;  // for a node to make a fragment durable
  int64_t read_limit_ns = 20'000'000'000;   // for a node to send one
  int64_t hedge_min_ns = 20'000'000;        // other fragments are not asked for sooner
  int rounds = 6;  // tries while too few devices are in reach: a node may be just back
};

struct ClusterCounters {
  uint64_t degraded_writes = 0;
  uint64_t degraded_reads = 0;     // that needed parity
  uint64_t hedged_reads = 0;       // that asked for parity because something was late
  uint64_t damaged_fragments = 0;  // seen
};

// What the writer says of a block.
struct BlockWords {
  wire::BlockKind kind = wire::BlockKind::kData;
  BlockId object = {};
};

struct FragmentStatus {
  enum class State { kGood, kMissing, kDamaged, kUnreachable, kNobody } state = State::kNobody;
  wire::DeviceNumber device = {};
  wire::NodeId node = {};
  uint64_t bytes = 0;
  std::string what = {};  // the error, for people
};

struct BlockStatus {
  wire::FragmentNote note = {};
  uint16_t pool = 0;
  uint32_t pg = 0;
  std::vector<FragmentStatus> fragments =
      {};  // n; those not stored (short blocks) are kGood, of 0 bytes
};

class ClusterBlocks {
 public:
  ClusterBlocks(os::Clock& clock, os::Random& random, ViewSource& views, NodeClients& clients,
                ClusterBlocksOptions options = {});

  // An id in the pool of that code, in a group whose devices are all up if chance finds one.
  // kNotFound when there is no such pool.
  Result<BlockId> choose_id(codec::ErasureCode code);

  enum class Degraded { kNever, kAllowed };
  // Stores a block of at least one byte under an id never used before. On an error nothing is left
  // of it but what unreachable nodes have, which they drop when they are back. kUnavailable when
  // too few devices of the group could be reached: fewer than all, or where that is allowed, fewer
  // than one more than are needed to read it.
  Status put(BlockId id, std::shared_ptr<const rpc::Buffer> block, const BlockWords& words,
             Degraded degraded);

  // The note of the block and its first bytes, up to `length`, at once: for blocks of which nothing
  // is known. kNotFound when surely no fragment exists.
  struct Start {
    wire::FragmentNote note = {};
    rpc::Buffer bytes = {};
  };
  Result<Start> read_start(BlockId id, uint64_t length);
  // The `length` bytes at `offset` of a block whose note says `block_bytes`, in the buffers they
  // came in. kNotFound; kUnavailable when fewer than k fragments can be reached, kCorrupt when
  // fewer are left.
  Result<rpc::Payload> read(BlockId id, uint64_t block_bytes, uint64_t offset, uint64_t length);
  // Fragment `i` made anew from the others, whatever is on its own device: one part. Errors as of
  // read().
  Result<rpc::Payload> rebuild(BlockId id, uint64_t block_bytes, unsigned i);

  // Forgets the block. Idempotent. kUnavailable when no device of its group could be reached.
  Status remove(BlockId id);
  // Of an object whose parts are stored and whose writer is thought dead: lets no put under its id
  // succeed any more. kExists when it is there already, kBusy when its writer lives; kUnavailable
  // when not every device of its group could be asked.
  Status fence(BlockId id);
  // A sign of life of its writer, so that nobody fences it.
  void keep(BlockId id);
  // Of a block of which nobody has anything, or which is there after all: no more need to remember
  // that it is deleted, or fenced. kUnavailable when some still do.
  Status forget(BlockId id, Removal mark_or_fence);
  // Asks every device of the group. kNotFound as read_start().
  Result<BlockStatus> query(BlockId id);

  ClusterCounters counters() const;
  ViewSource& views() { return views_; }

  // A device that may have a fragment of a block.
  struct Asked {
    unsigned fragment = 0;
    wire::DeviceNumber device = {};
  };

 private:
  friend class BlockPut;
  friend class BlockRead;

  const codec::ErasureCoder& coder_of(codec::ErasureCode code);
  Result<rpc::Client*> client_of(const ClusterView& view, wire::DeviceNumber device);
  std::vector<Asked> remove_from(const ClusterView& view, BlockId id,
                                 const std::vector<Asked>& from, Removal what, std::string& words);
  bool try_again(int round, Code code);
  void report_damage(const ClusterView& view, BlockId id, unsigned fragment);

  os::Clock& clock_;
  os::Random& random_;
  ViewSource& views_;
  NodeClients& clients_;
  const ClusterBlocksOptions options_;
  std::atomic<uint64_t> degraded_writes_ = 0;
  std::atomic<uint64_t> degraded_reads_ = 0;
  std::atomic<uint64_t> hedged_reads_ = 0;
  std::atomic<uint64_t> damaged_fragments_ = 0;
  os::Mutex mutex_;  // a leaf
  std::map<codec::ErasureCode, std::unique_ptr<codec::ErasureCoder>> coders_ GUARDED_BY(mutex_);
};

}  // namespace nacre::block
