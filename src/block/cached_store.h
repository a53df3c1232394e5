// Keeps decoded units of 64 KiB of another store's blocks in memory. Thread-safe.
//
// A small read brings in the whole unit, so that its neighbours (other files of a pack, the next
// pages of a file) are then in memory. A large read takes from memory what is there and the rest
// straight from the store below, without keeping it. Hints go on to that store. Errors are its
// errors and are not kept.
#pragma once

#include <cstdint>

#include "block/store.h"
#include "block/unit_cache.h"

namespace nacre::block {

struct CacheOptions {
  uint64_t capacity_bytes = 256ull << 20;
  uint64_t large_read_bytes = 512ull << 10;  // reads from here on are not kept
};

class CachedStore final : public Store {
 public:
  // `below` outlives this.
  CachedStore(Store& below, const CacheOptions& options);

  Status put(BlockId id, std::span<const ByteView> parts) override { return below_.put(id, parts); }
  Status sync() override { return below_.sync(); }
  Status read(BlockId id, uint64_t offset, MutableBytes into) override;
  void prefetch(BlockId id, uint64_t offset, uint64_t length) override {
    below_.prefetch(id, offset, length);
  }
  Status remove(BlockId id) override;
  Result<BlockInfo> info(BlockId id) override { return below_.info(id); }
  Status list(const std::function<bool(BlockId, const BlockInfo&)>& visit) override {
    return below_.list(visit);
  }
  Space space() override { return below_.space(); }
  Result<uint64_t> clean(uint64_t bytes) override { return below_.clean(bytes); }

  UnitCache::Stats stats() { return units_.stats(); }

 private:
  Status read_small(BlockId id, uint64_t offset, MutableBytes into);
  Status read_large(BlockId id, uint64_t offset, MutableBytes into);
  Result<UnitPtr> load(const UnitKey& key);

  Store& below_;
  const CacheOptions options_;
  UnitCache units_;
};

}  // namespace nacre::block
