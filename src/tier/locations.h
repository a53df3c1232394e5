// Where blocks lie in the bucket, as rows: one for each block, one for each pack with what of it is
// still in use, and one for each pack that is dead and may be removed. Thread-safe; one writes at a
// time, also beside those who write other rows of the same store.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
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
  // Packs, up to `most`, that died at or before that batch.
  Result<std::vector<wire::PackId>> dead(uint64_t batch, size_t most);
  // A dead pack's object is gone.
  Status forget_dead(wire::PackId pack);
  BucketTotals totals();

 private:
  kv::Store& rows_;
  os::Mutex
      mutex_;  // held across reads and writes of rows: a pack's row is changed by one at a time
  BucketTotals totals_ GUARDED_BY(mutex_);
};

}  // namespace nacre::tier
