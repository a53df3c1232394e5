#include "block/cached_store.h"

#include <algorithm>
#include <cstring>

#include "wire/unit_table.h"

namespace nacre::block {
namespace {

using wire::kUnitBytes;

}  // namespace

CachedStore::CachedStore(Store& below, const CacheOptions& options)
    : below_(below), options_(options), units_(options.capacity_bytes) {}

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

}  // namespace nacre::block
