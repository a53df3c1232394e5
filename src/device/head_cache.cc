#include "device/head_cache.h"

namespace nacre::device {
namespace {

// What an entry takes, with the nodes of list and map.
uint64_t bytes_of(const wire::RecordHead& head) {
  return sizeof(head) + head.descriptor.capacity() +
         head.page_checksums.capacity() * sizeof(uint64_t) + 128;
}

}  // namespace

HeadCache::Head HeadCache::get(uint64_t generation, uint32_t page) {
  const Place place{generation, page};
  Shard& shard = shard_of(place);
  os::Lock lock(shard.mutex);
  const auto found = shard.by_place.find(place);
  if (found == shard.by_place.end()) return nullptr;
  shard.recent.splice(shard.recent.begin(), shard.recent, found->second);
  return *found->second;
}

void HeadCache::add(Head head) {
  const Place place = place_of(*head);
  Shard& shard = shard_of(place);
  os::Lock lock(shard.mutex);
  if (shard.by_place.contains(place)) return;
  shard.bytes += bytes_of(*head);
  shard.recent.push_front(std::move(head));
  shard.by_place[place] = shard.recent.begin();
  evict(shard);
}

void HeadCache::evict(Shard& shard) {
  while (shard.bytes > shard_bytes_ && !shard.recent.empty()) {
    const Head& oldest = shard.recent.back();
    shard.bytes -= bytes_of(*oldest);
    shard.by_place.erase(place_of(*oldest));
    shard.recent.pop_back();
  }
}

uint64_t HeadCache::memory_bytes() {
  uint64_t bytes = 0;
  for (Shard& shard : shards_) {
    os::Lock lock(shard.mutex);
    bytes += shard.bytes;
  }
  return bytes;
}

}  // namespace nacre::device
