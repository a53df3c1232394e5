#include "block/cached_store.h"

#include <algorithm>
#include <cstring>

#include "wire/unit_table.h"

namespace nacre::block {
namespace {

using wire::kUnitBytes;

constexpr size_t kMostPrefetches = 64;  // waiting; more are dropped
// One prefetch may bring in this part of the cache at most, lest it push out what it brought.
constexpr uint64_t kPrefetchPart = 16;

}  // namespace

CachedStore::CachedStore(Store& below, const CacheOptions& options)
    : below_(below), options_(options), units_(options.capacity_bytes) {
  for (size_t i = 0; i < options_.prefetch_threads; ++i) {
    threads_.emplace_back("nacre-prefetch", [this] { run_prefetches(); });
  }
}

CachedStore::~CachedStore() {
  {
    os::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  threads_.clear();
}

Status CachedStore::read(BlockId id, uint64_t offset, MutableBytes into) {
  if (into.empty() || offset > kMaxBlockBytes) return below_.read(id, offset, into);
  return into.size() >= options_.large_read_bytes ? read_large(id, offset, into)
                                                  : read_small(id, offset, into);
}

Result<UnitPtr> CachedStore::load(const UnitKey& key) {
  const uint64_t length = TRY(below_.info(key.block)).logical_bytes;
  const uint64_t begin = uint64_t{key.unit} * kUnitBytes;
  if (begin >= length)
    return Error(Code::kOutOfRange, "past the end of block " + to_hex(key.block));
  auto unit = std::make_shared<Unit>(std::min<uint64_t>(kUnitBytes, length - begin));
  TRY(below_.read(key.block, begin, unit->writable()));
  return UnitPtr(std::move(unit));
}

Status CachedStore::read_small(BlockId id, uint64_t offset, MutableBytes into) {
  while (!into.empty()) {
    const UnitKey key{id, static_cast<uint32_t>(offset / kUnitBytes)};
    const size_t skip = offset % kUnitBytes;
    const size_t count = std::min<size_t>(into.size(), kUnitBytes - skip);
    const UnitPtr unit =
        TRY(units_.find_or_load(key, skip, count, [this, &key] { return load(key); }));
    if (skip + count > unit->bytes().size()) {
      return Error(Code::kOutOfRange, "past the end of block " + to_hex(id));
    }
    std::memcpy(into.data(), unit->bytes().data() + skip, count);
    into = into.subspan(count);
    offset += count;
  }
  return {};
}

Status CachedStore::read_large(BlockId id, uint64_t offset, MutableBytes into) {
  size_t missing = 0;  // bytes at the front of `into` that are not in memory
  const auto read_missing = [&]() -> Status {
    if (missing > 0) TRY(below_.read(id, offset, into.first(missing)));
    offset += missing;
    into = into.subspan(missing);
    missing = 0;
    return {};
  };
  while (missing < into.size()) {
    const uint64_t at = offset + missing;
    const size_t skip = at % kUnitBytes;
    const size_t count = std::min<size_t>(into.size() - missing, kUnitBytes - skip);
    const UnitPtr unit = units_.find({id, static_cast<uint32_t>(at / kUnitBytes)}, skip, count);
    if (!unit || skip + count > unit->bytes().size()) {
      missing += count;
      continue;
    }
    TRY(read_missing());
    std::memcpy(into.data(), unit->bytes().data() + skip, count);
    into = into.subspan(count);
    offset += count;
  }
  return read_missing();
}

Status CachedStore::remove(BlockId id) {
  const Result<BlockInfo> info = below_.info(id);
  TRY(below_.remove(id));
  if (info.ok()) units_.drop(id, wire::unit_count(info->logical_bytes));
  return {};
}

void CachedStore::prefetch(BlockId id, uint64_t offset, uint64_t length) {
  const uint64_t most = options_.capacity_bytes / kPrefetchPart;
  length = std::min({length, most, kMaxBlockBytes});
  if (threads_.empty() || length == 0 || offset >= kMaxBlockBytes) return;
  os::Lock lock(mutex_);
  if (prefetches_.size() >= kMostPrefetches) return;
  prefetches_.push_back({.id = id, .offset = offset, .length = length});
  changed_.notify_one();
}

void CachedStore::run_prefetches() {
  for (;;) {
    Range range;
    {
      os::Lock lock(mutex_);
      while (!stopping_ && prefetches_.empty()) changed_.wait(mutex_);
      if (stopping_) return;
      range = prefetches_.front();
      prefetches_.pop_front();
    }
    prefetch_now(range);
  }
}

// Stops at the first error, the end of the block among them: whoever reads will meet it.
void CachedStore::prefetch_now(const Range& range) {
  const auto first = static_cast<uint32_t>(range.offset / kUnitBytes);
  const auto last = static_cast<uint32_t>((range.offset + range.length - 1) / kUnitBytes);
  for (uint32_t unit = first; unit <= last; ++unit) {
    const UnitKey key{range.id, unit};
    if (units_.contains(key)) continue;
    // To whoever reads it from its beginning, this is no use of its own.
    if (!units_.find_or_load(key, 0, 0, [this, &key] { return load(key); }).ok()) return;
    os::Lock lock(mutex_);
    if (stopping_) return;
  }
}

}  // namespace nacre::block
