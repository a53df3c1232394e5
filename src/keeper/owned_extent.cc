#include "keeper/owned_extent.h"

namespace nacre::keeper {

namespace {

// The row, if it decodes and began then.
bool take(std::string_view value, Sequence begin, wire::ExtentRow& row) {
  const auto began = wire::begin_of(value);
  if (!began.ok() || *began != begin) return false;
  auto decoded = wire::decode_extent(value);
  if (!decoded.ok()) return false;
  row = decoded.take();
  return true;
}

}  // namespace

Result<std::optional<OwnedExtent>> find_extent(kv::Store& rows, const kv::Snapshot* at, InodeId ino,
                                               uint64_t offset, Sequence begin) {
  OwnedExtent found;
  found.live_key = wire::extent_key(ino, offset);
  const auto live = TRY(rows.get(kv::Family::kLive, found.live_key, at));
  if (live && take(*live, begin, found.row)) return std::optional(std::move(found));
  // A key's past rows follow each other without overlap: the one that began then is the first to
  // end later.
  const std::string from = wire::past_key(found.live_key, Sequence{begin.value + 1});
  const auto past = rows.iterate(kv::Family::kPast, {from, kv::prefix_end(found.live_key)}, at);
  past->seek_to_first();
  TRY(past->status());
  if (!past->valid() || !take(past->value(), begin, found.row)) return std::optional<OwnedExtent>();
  found.past_end = TRY(wire::decode_past_key(past->key())).end;
  return std::optional(std::move(found));
}

Result<bool> is_damaged_place(kv::Store& rows, const kv::Snapshot* at, InodeId ino,
                              uint64_t offset) {
  const std::string key = wire::extent_key(ino, offset);
  Sequence before;  // until then the rows so far held
  const auto past = rows.iterate(kv::Family::kPast, kv::prefix_range(key), at);
  for (past->seek_to_first(); past->valid(); past->next()) {
    const auto row = wire::decode_extent(past->value());
    const auto end = TRY(wire::decode_past_key(past->key())).end;
    if (!row.ok() || row->begin < before || row->begin >= end) return true;
    before = end;
  }
  TRY(past->status());
  const auto live = TRY(rows.get(kv::Family::kLive, key, at));
  if (!live) return false;
  const auto row = wire::decode_extent(*live);
  return !row.ok() || row->begin < before;
}

}  // namespace nacre::keeper
