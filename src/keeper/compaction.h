// Compaction: blocks of which rows need only a little are rewritten, several into one, and their
// space comes free.
//
// Which blocks those are is found by walking the block rows with a cursor, a little at a time, and
// by looking first at blocks that pruning took references from. A block row's referenced bytes
// count shared bytes once for each reference, so they bound from above the distinct bytes in use:
// below the threshold they settle the matter at once; above it, only for a block with a single
// reference. The owner rows of other blocks are added up, and the adding stops as soon as the block
// is dense enough.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "fs/volume.h"
#include "keeper/repack.h"

namespace nacre::keeper {

struct CompactionTotals {
  uint64_t examined = 0;  // block rows and owner rows
  uint64_t blocks_freed = 0;
  uint64_t bytes_written = 0;
  uint64_t bytes_freed = 0;
  uint64_t damaged = 0;  // blocks that could not be read

  void add(const Repacked& done);
  void add(const CompactionTotals& other);
};

// Not thread-safe: one at a time works on a volume. It may be dropped at any time.
class Compactor {
 public:
  static constexpr uint64_t kSparsePercent = 40;
  static constexpr uint64_t kExaminedPerStep = 20'000;

  explicit Compactor(fs::Volume& volume) : volume_(volume) {}

  // Looks at some more blocks; rewrites what was found once it fills a block, or when the pass
  // ends. Bounded: at most one block's worth is written. kBusy and kNoSpace: try later.
  Result<CompactionTotals> step();
  // Nothing is left to look at.
  bool idle() const { return !walking_ && hints_.empty() && found_.empty(); }
  // Looks at all blocks once more, after what is still to do.
  void begin_pass();
  // Looks at these first.
  void look_at(const std::vector<BlockId>& blocks);

  // Looks at blocks of look_at() alone, and rewrites those that are sparse, until about `bytes` are
  // written.
  Result<CompactionTotals> rewrite_hints(uint64_t bytes);
  bool has_hints() const { return !hints_.empty(); }
  // Rewrites each of the blocks that holds bytes nobody refers to, however few. A block that is
  // needed as a whole stays.
  Result<CompactionTotals> rewrite(const std::vector<BlockId>& blocks);

 private:
  // The block as a victim if fewer than `percent` of its bytes are in use.
  Result<std::optional<Victim>> weigh(BlockId block, uint64_t percent, uint64_t& examined);
  Result<std::optional<BlockId>> next_block();
  Status take(Victim victim, CompactionTotals& totals);
  Status rewrite_found(CompactionTotals& totals);

  fs::Volume& volume_;
  bool walking_ = false;
  std::string cursor_;  // the next block row of the pass
  std::deque<BlockId> hints_;
  std::vector<Victim> found_;
  std::set<BlockId> found_blocks_;
  uint64_t found_bytes_ = 0;
  std::set<BlockId> damaged_;  // not tried again
};

}  // namespace nacre::keeper
