// Where every live record of a device is. Thread-safe: 64 shards with a lock each, held for the
// look-up alone.
//
// The index answers for the segments its entries point into: as long as an entry points into a
// segment, the segment is not freed. So a place found here is pinned before the lock is given up.
#pragma once

#include <array>
#include <functional>
#include <optional>

#include "device/index_table.h"
#include "device/segment_table.h"
#include "os/mutex.h"

namespace nacre::device {

// Where a copy of a record is, and the lengths that are asked for often.
struct Place {
  uint64_t birth = 0;
  uint64_t generation = 0;  // of the segment
  uint32_t segment = 0;
  uint32_t page = 0;
  uint32_t pages = 0;
  uint32_t stored_bytes = 0;
  uint32_t logical_bytes = 0;
};

class Index {
 public:
  explicit Index(SegmentTable& segments) : segments_(segments) {}

  // A put begins: takes the key. False if it is taken already.
  bool reserve(const Key& key);
  // …and ends: readable from here on,
  void publish(const Key& key, const Place& place);
  // …or fails.
  void cancel(const Key& key);

  // Pins the segment of the place; the caller unpins.
  std::optional<Place> find_and_pin(const Key& key);
  std::optional<Place> find(const Key& key);
  // Forgets the key; nothing if it is not there, or still being put.
  std::optional<Place> erase(const Key& key);
  // The record moves to `to`, if it still is at page `from_page` of `from_segment`.
  bool move(const Key& key, uint32_t from_segment, uint32_t from_page, const Place& to);

  // Opening a device: of two copies of a record the later born stays, of equal ones that in the
  // later use of a segment. Returns the one that gives way.
  std::optional<Place> restore(const Key& key, const Place& place);

  // Every record there at some moment of the call, in no order, until `visit` returns false. No
  // lock is held while it runs.
  void for_each(const std::function<bool(const Key&, const Place&)>& visit);

  uint64_t size();
  uint64_t memory_bytes();

 private:
  static constexpr size_t kShards = 64;
  struct Shard {
    os::Mutex mutex;  // before no other lock
    IndexTable table GUARDED_BY(mutex);
  };

  // The table uses the low bits of the hash.
  Shard& shard_of(const Key& key) { return shards_[hash_of(key) >> 58]; }
  Place place_of(const IndexSlot& slot) const;

  SegmentTable& segments_;
  std::array<Shard, kShards> shards_;
};

}  // namespace nacre::device
