// Decoded units of blocks in memory, up to a number of bytes. Thread-safe, in shards with a lock
// each; no lock is held while a unit is loaded.
//
// What stays is chosen as in S3-FIFO (Yang and others, SOSP '23): a new unit enters a small queue,
// and only one asked for again moves to the main one; so reading much data once pushes out little
// but itself. Reading on through a unit from where the last read ended counts as one use.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "os/mutex.h"

namespace nacre::block {

struct UnitKey {
  BlockId block;
  uint32_t unit = 0;
  friend bool operator==(const UnitKey&, const UnitKey&) = default;
};

// Never changes once it is in the cache.
class Unit {
 public:
  explicit Unit(size_t size) : bytes_(new std::byte[size]), size_(size) {}
  MutableBytes writable() { return {bytes_.get(), size_}; }
  ByteView bytes() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  size_t size_;
};
using UnitPtr = std::shared_ptr<const Unit>;

class UnitCache {
 public:
  explicit UnitCache(uint64_t capacity_bytes);

  struct Stats {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t bytes = 0;
  };

  // The unit if it is here, or null. [offset, offset+length) is what of it will be used.
  UnitPtr find(const UnitKey& key, size_t offset, size_t length);
  // The same, or what `load` gives, which is kept. Of callers that want a missing unit at the same
  // time one loads and the others wait; if it fails, they try for themselves.
  Result<UnitPtr> find_or_load(const UnitKey& key, size_t offset, size_t length,
                               const std::function<Result<UnitPtr>()>& load);
  // Whether it is here; counts as no use.
  bool contains(const UnitKey& key);
  // Drops the first `units` units of a block. Loads under way will not be kept.
  void drop(BlockId block, uint32_t units);

  Stats stats();

 private:
  static constexpr size_t kShards = 16;
  struct HashKey {
    size_t operator()(const UnitKey& key) const {
      return (std::hash<BlockId>()(key.block) ^ key.unit * 0x9E3779B97F4A7C15u) *
                 0xBF58476D1CE4E5B9u >>
             7;
    }
  };
  struct Entry {
    UnitKey key;
    UnitPtr unit;
    size_t read_until = 0;  // where the last read of it ended
    uint8_t uses = 0;       // beyond the first, at most 3
    bool in_main = false;
  };
  using Queue = std::list<Entry>;  // the next to leave is at the back
  struct Shard {
    os::Mutex mutex;  // a leaf
    os::CondVar loaded;
    std::unordered_map<UnitKey, Queue::iterator, HashKey> entries GUARDED_BY(mutex);
    Queue small GUARDED_BY(mutex);
    Queue main GUARDED_BY(mutex);
    uint64_t small_bytes GUARDED_BY(mutex) = 0;
    uint64_t main_bytes GUARDED_BY(mutex) = 0;
    // Units that left the small queue unused: if they come again, they go to the main one.
    std::list<UnitKey> ghosts GUARDED_BY(mutex);
    std::unordered_set<UnitKey, HashKey> ghost_keys GUARDED_BY(mutex);
    std::unordered_set<UnitKey, HashKey> loading GUARDED_BY(mutex);
    uint64_t drops GUARDED_BY(mutex) = 0;
    uint64_t hits GUARDED_BY(mutex) = 0;
    uint64_t misses GUARDED_BY(mutex) = 0;
  };

  Shard& shard_of(const UnitKey& key) { return shards_[HashKey()(key) % kShards]; }
  UnitPtr use(Shard& shard, const UnitKey& key, size_t offset, size_t length) REQUIRES(shard.mutex);
  void add(Shard& shard, const UnitKey& key, UnitPtr unit, size_t read_until) REQUIRES(shard.mutex);
  void evict(Shard& shard) REQUIRES(shard.mutex);
  void evict_from_small(Shard& shard) REQUIRES(shard.mutex);
  void evict_from_main(Shard& shard) REQUIRES(shard.mutex);
  void remember_ghost(Shard& shard, const UnitKey& key) REQUIRES(shard.mutex);

  const uint64_t shard_bytes_;
  std::array<Shard, kShards> shards_;
};

}  // namespace nacre::block
