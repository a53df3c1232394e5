// Where blocks lie in the bucket, as rows: one for each block, one for each pack with what of it is
// still in use, and one for each pack that is dead and may be removed. Thread-safe; one writes at a
// time, also beside those who write other rows of the same store.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "base/result.h"
#include "kv/store.h"
#include "os/mutex.h"
#include "wire/pack_layout.h"
#include "wire/tier_rows.h"

namespace nacre::tier {

struct StoredPack {
  wire::PackId id = {};
  uint64_t object_bytes = 0;
  Timestamp written = {};
  std::vector<wire::PackedBlock> blocks = {};  // those in use
};

struct BucketTotals {
  uint64_t packs = 0;
  uint64_t object_bytes = 0;  // of packs that have blocks in use
  uint64_t live_bytes = 0;    // of those blocks in them
  uint64_t blocks = 0;
  uint64_t dead_packs = 0;
};

class Locations {
 public:
  explicit Locations(kv::Store& rows) : rows_(rows) {}
  // Reads all rows once, for the totals.
  Status open();

  // None for a block that is not in the bucket.
  Result<std::optional<wire::PackLocation>> find(BlockId id);
  // A pack is in the bucket with its blocks: durable on return. Without any it is dead at once, as
  // of `batch`.
  Status add(const StoredPack& pack, uint64_t batch);
  // The block is needed no more: none of the rows after `batch` refers to it. Durable with the next
  // synced write. No error if it is not there.
  Status remove(BlockId id, uint64_t batch);
  // Every block, in the order of ids, until `visit` returns false.
  Status list(const std::function<bool(const wire::PackLocation&)>& visit);
  // Packs with blocks in use, or just emptied by move(), until `visit` returns false.
  Status list_packs(const std::function<bool(wire::PackId, const wire::PackRow&)>& visit);
  // The blocks of the pack that are in use, in the order of their offsets.
  Result<std::vector<wire::PackLocation>> members(wire::PackId pack);
  // Blocks that were at `from` are in this pack as well, in the same order: they are found there
  // from now on, but for those that were removed or moved meanwhile. Durable with the next synced
  // write. Without any block left the pack is dead at once, as of `batch`.
  Status move(StoredPack pack, const std::vector<wire::PackLocation>& from, uint64_t batch);
  // Packs that move() emptied are dead as of `batch`, which is not before any of those batches.
  Status bury_empty(uint64_t batch);
  // Whether the pack has a row, or is on its way.
  Result<bool> knows(wire::PackId pack);
  // Packs, up to `most`, that died at or before that batch.
  Result<std::vector<wire::PackId>> dead(uint64_t batch, size_t most);
  // A dead pack's object is gone.
  Status forget_dead(wire::PackId pack);
  BucketTotals totals();

 private:
  friend class PackOnItsWay;

  Result<wire::PackRow> pack_row(wire::PackId pack, BlockId of) REQUIRES(mutex_);

  kv::Store& rows_;
  // Held across reads and writes of rows: a pack's row is changed by one at a time.
  os::Mutex mutex_;
  BucketTotals totals_ GUARDED_BY(mutex_);
  std::set<wire::PackId> on_their_way_ GUARDED_BY(mutex_);
};

// As long as it lives, the pack is not taken for one that nobody knows.
class PackOnItsWay {
 public:
  PackOnItsWay(Locations& locations, wire::PackId pack);
  ~PackOnItsWay();
  PackOnItsWay(const PackOnItsWay&) = delete;
  PackOnItsWay& operator=(const PackOnItsWay&) = delete;

 private:
  Locations& locations_;
  const wire::PackId pack_;
};

}  // namespace nacre::tier
