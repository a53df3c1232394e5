// The heads of recently used records, with their page checksums, up to a number of bytes; so that
// the checksums of a whole device need not be in memory. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "os/mutex.h"
#include "wire/segment_layout.h"

namespace nacre::device {

class HeadCache {
 public:
  using Head = std::shared_ptr<const wire::RecordHead>;

  explicit HeadCache(uint64_t capacity_bytes) : shard_bytes_(capacity_bytes / kShards) {}

  // A generation is one use of one segment for all time, so an entry can never be out of date.
  Head get(uint64_t generation, uint32_t page);
  void add(Head head);
  uint64_t memory_bytes();

 private:
  static constexpr size_t kShards = 8;
  struct Place {
    uint64_t generation = 0;
    uint32_t page = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };
  struct HashPlace {
    size_t operator()(const Place& place) const {
      return (place.generation * 0x9E3779B97F4A7C15u ^ place.page) * 0xBF58476D1CE4E5B9u >> 3;
    }
  };
  using Recent = std::list<Head>;
  struct Shard {
    os::Mutex mutex;  // a leaf
    Recent recent GUARDED_BY(mutex);
    std::unordered_map<Place, Recent::iterator, HashPlace> by_place GUARDED_BY(mutex);
    uint64_t bytes GUARDED_BY(mutex) = 0;
  };

  static Place place_of(const wire::RecordHead& head) { return {head.generation, head.page}; }
  Shard& shard_of(const Place& place) { return shards_[HashPlace()(place) % kShards]; }
  void evict(Shard& shard) REQUIRES(shard.mutex);

  const uint64_t shard_bytes_;
  std::array<Shard, kShards> shards_;
};

}  // namespace nacre::device
