#include "keeper/owned_extent.h"

namespace nacre::keeper {

Result<std::optional<OwnedExtent>> find_extent(kv::Store& rows, const kv::Snapshot* at, InodeId ino,
                                               uint64_t offset, Sequence begin) {
  OwnedExtent found;
  found.live_key = wire::extent_key(ino, offset);
  const auto live = TRY(rows.get(kv::Family::kLive, found.live_key, at));
  if (live && TRY(wire::begin_of(*live)) == begin) {
    found.row = TRY(wire::decode_extent(*live));
    return std::optional(std::move(found));
  }
  // A key's past rows follow each other without overlap: the one that began then is the first to
  // end later.
  const std::string from = wire::past_key(found.live_key, Sequence{begin.value + 1});
  const auto past =
      rows.iterate(kv::Family::kPast, {from, kv::prefix_end(found.live_key)}, at);
  past->seek_to_first();
  TRY(past->status());
  if (!past->valid() || TRY(wire::begin_of(past->value())) != begin) {
    return std::optional<OwnedExtent>();
  }
  found.past_end = TRY(wire::decode_past_key(past->key())).end;
  found.row = TRY(wire::decode_extent(past->value()));
  return std::optional(std::move(found));
}

}  // namespace nacre::keeper
