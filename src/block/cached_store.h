// Keeps decoded units of 64 KiB of another store's blocks in memory. Thread-safe.
//
// A small read brings in the whole unit, so that its neighbours (other files of a pack, the next
// pages of a file) are then in memory. A large read takes from memory what is there and the rest
// straight from the store below, without keeping it. prefetch() loads on a thread of its own; when
// too much waits already, it does nothing. Errors are those of the store below and are not kept.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "block/store.h"
#include "block/unit_cache.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::block {

struct CacheOptions {
  uint64_t capacity_bytes = 256ull << 20;
  uint64_t large_read_bytes = 512ull << 10;  // reads from here on are not kept
  size_t prefetch_threads = 1;               // 0: prefetch() does nothing
};

class CachedStore final : public Store {
 public:
  // `below` outlives this.
  CachedStore(Store& below, const CacheOptions& options);
  // Waits for the load that a prefetch thread is in; what still waits is dropped.
  ~CachedStore() override;

  Status put(BlockId id, std::span<const ByteView> parts) override { return below_.put(id, parts); }
  Status sync() override { return below_.sync(); }
  Status read(BlockId id, uint64_t offset, MutableBytes into) override;
  void prefetch(BlockId id, uint64_t offset, uint64_t length) override;
  Status remove(BlockId id) override;
  Result<BlockInfo> info(BlockId id) override { return below_.info(id); }
  Status list(const std::function<bool(BlockId, const BlockInfo&)>& visit) override {
    return below_.list(visit);
  }
  Space space() override { return below_.space(); }
  Result<uint64_t> clean(uint64_t bytes) override { return below_.clean(bytes); }

  UnitCache::Stats stats() { return units_.stats(); }

 private:
  struct Range {
    BlockId id;
    uint64_t offset = 0;
    uint64_t length = 0;
  };

  Status read_small(BlockId id, uint64_t offset, MutableBytes into);
  Status read_large(BlockId id, uint64_t offset, MutableBytes into);
  Result<UnitPtr> load(const UnitKey& key);
  void run_prefetches();
  void prefetch_now(const Range& range);

  Store& below_;
  const CacheOptions options_;
  UnitCache units_;

  os::Mutex mutex_;  // a leaf
  os::CondVar changed_;
  std::deque<Range> prefetches_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<os::Thread> threads_;  // last: they use the rest
};

}  // namespace nacre::block
