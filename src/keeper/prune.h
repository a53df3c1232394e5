// Pruning: drops past rows that neither the kept history nor a snapshot needs.
//
// History is walked through the change feed, oldest first. A past row (key, end) → begin goes once
// the floor is at or above its end, unless a snapshot lies in [begin, end). Change rows below the
// floor go with it, but for commits that still guard a pinned row: after delete_snapshot() they are
// visited again.
//
// The floor rises in the same batch that drops rows, so that no reader is ever let below it.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "fs/volume.h"

namespace nacre::keeper {

struct PruneStep {
  uint64_t visited = 0;  // keys of the change feed looked at
  uint64_t dropped = 0;  // past rows
  uint64_t pinned = 0;   // past rows that a snapshot needs
  bool done = false;     // everything below the floor asked for was visited
};

// Not thread-safe: one at a time works on a volume. It may be dropped at any time; another goes on
// where this one stopped.
class Pruner {
 public:
  static constexpr uint64_t kRowsPerStep = 5'000;

  explicit Pruner(fs::Volume& volume, uint64_t rows_per_step = kRowsPerStep)
      : volume_(volume), rows_per_step_(rows_per_step) {}

  // Takes the floor towards `floor` by one bounded batch, durable on return. A floor past the last
  // commit means that commit. kBusy: blocks to be freed are being shared just now; try later.
  Result<PruneStep> step(Sequence floor);

  // Blocks that lost references since the last call: compaction may gain from them. None when there
  // were too many to remember.
  std::optional<std::vector<BlockId>> take_touched();

 private:
  // A place in the change feed: what lies before it was visited.
  struct Cursor {
    Sequence sequence;  // being visited; 0: none
    uint32_t part = 0;
    size_t key = 0;
    bool pinned = false;  // a snapshot needs a past row of it
    Sequence pruned;      // the state row's, when this place was reached
  };
  struct Visit;

  Status build(meta::CommitBuilder& builder, Sequence floor, Visit& visit);
  Status walk(meta::CommitBuilder& builder, Visit& visit);
  Status visit_keys(meta::CommitBuilder& builder, Visit& visit, std::string_view change);
  Status visit_past_row(meta::CommitBuilder& builder, Visit& visit, const std::string& live_key);
  void leave_sequence(meta::CommitBuilder& builder, Visit& visit);
  void touch(BlockId block);

  fs::Volume& volume_;
  const uint64_t rows_per_step_;
  Cursor cursor_;
  std::set<BlockId> touched_;
  bool touched_overflow_ = false;
};

struct PruneTotals {
  uint64_t visited = 0;
  uint64_t dropped = 0;
  uint64_t pinned = 0;
  bool done = false;  // false: cancelled
};
// Steps until the floor is there or `go_on` returns false; it is asked after every step.
Result<PruneTotals> prune(Pruner& pruner, Sequence floor,
                          const std::function<bool(const PruneTotals&)>& go_on = {});

}  // namespace nacre::keeper
