// Objects of any size on a cluster, by an id given to them when they are put. There is no directory
// of them: the id leads to the placement group of the object's first block, which is all of a small
// object, and of a large one the manifest that names its parts. Any thread may call everything.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "block/cluster_blocks.h"
#include "os/random.h"

namespace nacre::block {

struct ObjectsOptions {
  uint32_t part_bytes = 4u << 20;  // larger objects are cut into parts of this size
  unsigned parallel = 4;           // blocks under way at a time
  // While parts are stored without their object; far below the grace time of nodes.
  int64_t sign_of_life_ns = 60'000'000'000;
};

struct ObjectStatus {
  uint64_t bytes = 0;
  BlockStatus first = {};
  uint32_t part_bytes = 0;          // of an object with parts
  std::vector<BlockId> parts = {};  // of an object with parts
};

class Objects {
 public:
  // Fills `into` from the beginning, and gives how much; less than its size only at the end.
  using Source = std::function<Result<size_t>(MutableBytes into)>;
  // Takes the next bytes, in order.
  using Sink = std::function<Status(ByteView bytes)>;

  explicit Objects(ClusterBlocks& blocks, ObjectsOptions options = {})
      : blocks_(blocks), options_(options) {}

  // Stores what `source` gives and returns its id when all of it is durable. On an error nothing is
  // left of it but what unreachable nodes have, which they drop when they are back. With fewer
  // devices up than the code has fragments the put is degraded, as long as one more is up than are
  // needed to read it; kUnavailable otherwise.
  Result<BlockId> put(codec::ErasureCode code, const Source& source);
  // kNotFound. `length` past the end is cut off; an offset past the end is kOutOfRange.
  Status get(BlockId id, uint64_t offset, uint64_t length, const Sink& sink);
  Result<ObjectStatus> query(BlockId id);
  // kNotFound when surely there is none; kInvalid for an object without parts.
  Result<wire::Manifest> manifest_of(BlockId id);
  // Of one of the object's parts.
  Result<BlockStatus> query_part(BlockId part) { return blocks_.query(part); }
  // Idempotent: an object that is not there is no error.
  Status remove(BlockId id);

 private:
  Result<BlockId> put_block(codec::ErasureCode code,
                            const std::shared_ptr<const rpc::Buffer>& block,
                            const BlockWords& words);
  Result<wire::Manifest> put_parts(codec::ErasureCode code, BlockId object,
                                   std::vector<std::shared_ptr<const rpc::Buffer>> begun,
                                   const Source& source);
  Status put_manifest(BlockId object, const wire::Manifest& manifest);
  Result<std::shared_ptr<const rpc::Buffer>> next_part(const Source& source) const;
  Result<wire::Manifest> read_manifest(BlockId id, ClusterBlocks::Start& start);
  Status get_parts(const wire::Manifest& manifest, uint64_t offset, uint64_t length,
                   const Sink& sink);
  Status remove_parts(const std::vector<BlockId>& parts);

  ClusterBlocks& blocks_;
  const ObjectsOptions options_;
};

}  // namespace nacre::block
