// One read of one block: asks for the fragments that hold the range, and for others where those are
// late, missing or damaged. Private to ClusterBlocks; for one thread.
//
// At most two phases. In the first, each data fragment that holds part of the range is asked for
// that part alone. When one fails, is known to be down, or is late, the second asks all other
// fragments for the range that is missing, and decodes as soon as k have come; what was late may
// still win.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "block/cluster_blocks.h"
#include "rpc/call_group.h"

namespace nacre::block {

class BlockRead {
 public:
  BlockRead(ClusterBlocks& blocks, BlockId id, uint64_t block_bytes);

  // See ClusterBlocks.
  Result<rpc::Payload> read(uint64_t offset, uint64_t length);
  Result<rpc::Payload> rebuild(unsigned fragment);

 private:
  // One of the n.
  struct Position {
    std::vector<wire::DeviceNumber> candidates = {};  // where it may be, the best first
    size_t next_candidate = 0;
    bool asked = false;
    bool asked_anew = false;  // because what came did not match its sum
    bool out = false;         // nobody has it, or nobody can be reached
    codec::FragmentRange asked_range = {};
    std::optional<Error> error = {};
    ByteView bytes = {};
    std::optional<codec::FragmentRange> has = {};  // what `bytes` is
  };
  // A part of a data fragment, and where it is once it has come.
  struct Want {
    codec::FragmentPiece piece;
    ByteView bytes = {};
    bool filled = false;
  };

  void find_positions(const ClusterView& view, const Location& location);
  Status collect();
  rpc::Payload take_found();
  Status begin(const std::shared_ptr<const ClusterView>& view);
  void ask(rpc::CallGroup& calls, unsigned i, codec::FragmentRange range);
  void ask_wanted(rpc::CallGroup& calls);
  void ask_others(rpc::CallGroup& calls);
  void take(rpc::CallGroup& calls, size_t tag, Result<rpc::Reply> result);
  Status check(unsigned i, const rpc::Reply& reply) const;
  void fill_wants(unsigned i);
  bool is_filled() const;
  Status try_decode();
  Status decode_from(const std::vector<codec::PresentFragment>& present);
  bool can_still_decode() const;
  Error why_not() const;
  codec::FragmentRange missing_range() const;
  uint64_t clipped(unsigned i, const codec::FragmentRange& range) const;

  ClusterBlocks& blocks_;
  const BlockId id_;
  const uint64_t block_bytes_;
  std::shared_ptr<const ClusterView> view_;
  std::optional<codec::FragmentLayout> layout_;
  std::vector<Position> positions_;
  std::vector<Want> wants_;
  std::vector<rpc::Buffer> owners_;  // of the bytes of `wants_`
  codec::FragmentRange range_ = {};  // of the second phase
  bool second_phase_ = false;
  bool decoded_ = false;
};

}  // namespace nacre::block
