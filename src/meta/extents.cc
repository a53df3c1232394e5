#include "meta/extents.h"

#include "meta/past_rows.h"

namespace nacre::meta {

namespace {

Result<Extent> decode(std::string_view key, std::string_view value) {
  Extent extent;
  extent.offset = TRY(wire::decode_live_key(key)).position;
  extent.row = TRY(wire::decode_extent(value));
  if (extent.row.length > uint64_t{INT64_MAX} - extent.offset) {
    return Error(Code::kCorrupt, "an extent ends past the largest file");
  }
  return extent;
}

}  // namespace

Status visit_extents(kv::Store& store, const kv::Snapshot* snapshot, InodeId ino, uint64_t begin,
                     uint64_t end, const ExtentVisitor& visit) {
  const auto rows = store.iterate(kv::Family::kLive,
                                  {wire::extent_key(ino, 0), wire::extent_key(ino, end)}, snapshot);
  const std::string first = wire::extent_key(ino, begin);
  rows->seek_for_prev(first);
  if (!rows->valid()) {
    TRY(rows->status());
    rows->seek(first);
  }
  for (; rows->valid(); rows->next()) {
    const Extent extent = TRY(decode(rows->key(), rows->value()));
    if (extent.end() > begin && !visit(extent)) return {};
  }
  return rows->status();
}

Status visit_past_extents(kv::Store& store, Sequence at, uint64_t block_size, InodeId ino,
                          uint64_t begin, uint64_t end, const ExtentVisitor& visit) {
  const PastRows rows(store, at);
  Status failure;
  TRY(rows.scan({wire::extent_key(ino, round_down(begin, block_size)), wire::extent_key(ino, end)},
                [&](std::string_view key, std::string_view value) {
                  auto extent = decode(key, value);
                  if (!extent) {
                    failure = std::move(extent).error();
                    return false;
                  }
                  return extent->end() <= begin || visit(*extent);
                }));
  return failure;
}

}  // namespace nacre::meta
