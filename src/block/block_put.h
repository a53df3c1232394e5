// One block on its way to the devices of its placement group. Private to ClusterBlocks; for one
// thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "block/cluster_blocks.h"
#include "rpc/call_group.h"

namespace nacre::block {

class BlockPut {
 public:
  BlockPut(ClusterBlocks& blocks, BlockId id, std::shared_ptr<const rpc::Buffer> block,
           const BlockWords& words)
      : blocks_(blocks), id_(id), block_(std::move(block)), words_(words) {}

  Status run(ClusterBlocks::Degraded degraded);

 private:
  struct Piece {
    unsigned fragment = 0;
    rpc::Payload payload = {};
    wire::FragmentNote note = {};
    bool done = false;
    std::optional<Error> error = {};
  };

  Status make_pieces(codec::ErasureCode code);
  void send(const ClusterView& view, const Location& location);
  void report_missing();
  size_t missing() const;
  bool may_be_missing() const;
  Error first_error() const;

  ClusterBlocks& blocks_;
  const BlockId id_;
  const std::shared_ptr<const rpc::Buffer> block_;
  const BlockWords words_;
  unsigned needed_ = 0;  // fragments that give the block back
  std::vector<Piece> pieces_;
};

}  // namespace nacre::block
