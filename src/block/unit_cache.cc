#include "block/unit_cache.h"

#include <algorithm>

namespace nacre::block {
namespace {

constexpr uint64_t kEntryBytes = 256;  // nodes, keys and control block of an entry
constexpr uint64_t kSmallPart = 5;     // the small queue's part of a shard
constexpr uint8_t kMostUses = 3;

uint64_t bytes_of(const UnitPtr& unit) { return unit->bytes().size() + kEntryBytes; }

}  // namespace

UnitCache::UnitCache(uint64_t capacity_bytes) : shard_bytes_(capacity_bytes / kShards) {}

UnitPtr UnitCache::use(Shard& shard, const UnitKey& key, size_t offset, size_t length) {
  const auto found = shard.entries.find(key);
  if (found == shard.entries.end()) return nullptr;
  Entry& entry = *found->second;
  if (offset != entry.read_until) {
    entry.uses = static_cast<uint8_t>(std::min<int>(entry.uses + 1, kMostUses));
  }
  entry.read_until = offset + length;
  ++shard.hits;
  return entry.unit;
}

UnitPtr UnitCache::find(const UnitKey& key, size_t offset, size_t length) {
  Shard& shard = shard_of(key);
  os::Lock lock(shard.mutex);
  return use(shard, key, offset, length);
}

Result<UnitPtr> UnitCache::find_or_load(const UnitKey& key, size_t offset, size_t length,
                                        const std::function<Result<UnitPtr>()>& load) {
  Shard& shard = shard_of(key);
  uint64_t drops_before = 0;
  {
    os::Lock lock(shard.mutex);
    for (;;) {
      if (UnitPtr unit = use(shard, key, offset, length)) return unit;
      if (shard.loading.insert(key).second) break;
      shard.loaded.wait(shard.mutex);
    }
    ++shard.misses;
    drops_before = shard.drops;
  }
  Result<UnitPtr> unit = load();
  os::Lock lock(shard.mutex);
  shard.loading.erase(key);
  // What was removed meanwhile must not come back.
  if (unit.ok() && shard.drops == drops_before) add(shard, key, *unit, offset + length);
  shard.loaded.notify_all();
  return unit;
}

void UnitCache::add(Shard& shard, const UnitKey& key, UnitPtr unit, size_t read_until) {
  const uint64_t bytes = bytes_of(unit);
  if (bytes > shard_bytes_) return;
  const bool to_main = shard.ghost_keys.erase(key) > 0;
  if (to_main) std::erase(shard.ghosts, key);
  Queue& queue = to_main ? shard.main : shard.small;
  (to_main ? shard.main_bytes : shard.small_bytes) += bytes;
  queue.push_front(
      {.key = key, .unit = std::move(unit), .read_until = read_until, .in_main = to_main});
  shard.entries[key] = queue.begin();
  evict(shard);
}

void UnitCache::evict(Shard& shard) {
  while (shard.small_bytes + shard.main_bytes > shard_bytes_) {
    const bool small_is_full = shard.small_bytes * kSmallPart > shard_bytes_;
    if (!shard.small.empty() && (small_is_full || shard.main.empty())) {
      evict_from_small(shard);
    } else {
      evict_from_main(shard);
    }
  }
}

void UnitCache::evict_from_small(Shard& shard) {
  const auto oldest = std::prev(shard.small.end());
  const uint64_t bytes = bytes_of(oldest->unit);
  shard.small_bytes -= bytes;
  if (oldest->uses > 0) {
    oldest->uses = 0;
    oldest->in_main = true;
    shard.main.splice(shard.main.begin(), shard.small, oldest);
    shard.main_bytes += bytes;
    return;
  }
  remember_ghost(shard, oldest->key);
  shard.entries.erase(oldest->key);
  shard.small.erase(oldest);
}

void UnitCache::evict_from_main(Shard& shard) {
  const auto oldest = std::prev(shard.main.end());
  if (oldest->uses > 0) {
    --oldest->uses;
    shard.main.splice(shard.main.begin(), shard.main, oldest);
    return;
  }
  shard.main_bytes -= bytes_of(oldest->unit);
  shard.entries.erase(oldest->key);
  shard.main.erase(oldest);
}

void UnitCache::remember_ghost(Shard& shard, const UnitKey& key) {
  if (!shard.ghost_keys.insert(key).second) return;
  shard.ghosts.push_front(key);
  while (shard.ghosts.size() > shard.entries.size() + 1) {
    shard.ghost_keys.erase(shard.ghosts.back());
    shard.ghosts.pop_back();
  }
}

bool UnitCache::contains(const UnitKey& key) {
  Shard& shard = shard_of(key);
  os::Lock lock(shard.mutex);
  return shard.entries.contains(key);
}

void UnitCache::drop(BlockId block, uint32_t units) {
  for (uint32_t unit = 0; unit < units; ++unit) {
    const UnitKey key{block, unit};
    Shard& shard = shard_of(key);
    os::Lock lock(shard.mutex);
    ++shard.drops;
    const auto found = shard.entries.find(key);
    if (found == shard.entries.end()) continue;
    const uint64_t bytes = bytes_of(found->second->unit);
    const bool in_main = found->second->in_main;
    (in_main ? shard.main_bytes : shard.small_bytes) -= bytes;
    (in_main ? shard.main : shard.small).erase(found->second);
    shard.entries.erase(found);
  }
}

UnitCache::Stats UnitCache::stats() {
  Stats stats;
  for (Shard& shard : shards_) {
    os::Lock lock(shard.mutex);
    stats.hits += shard.hits;
    stats.misses += shard.misses;
    stats.bytes += shard.small_bytes + shard.main_bytes;
  }
  return stats;
}

}  // namespace nacre::block
