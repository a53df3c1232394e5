#include "meta/extents.h"

#include "meta/past_rows.h"

namespace nacre::meta {

namespace {

constexpr int kNearSteps = 8;  // rows passed one by one before it is quicker to seek

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

ExtentReader::ExtentReader(kv::Store& store, const kv::Snapshot* snapshot, InodeId ino,
                           uint64_t end)
    : ino_(ino),
      rows_(store.iterate(kv::Family::kLive, {wire::extent_key(ino, 0), wire::extent_key(ino, end)},
                          snapshot)) {}

Status ExtentReader::load() {
  current_.reset();
  if (!rows_->valid()) return rows_->status();
  current_ = TRY(decode(rows_->key(), rows_->value()));
  return {};
}

Status ExtentReader::advance() {
  rows_->next();
  return load();
}

// Goes to the first extent that ends after `begin`.
Status ExtentReader::find(uint64_t begin) {
  bool near = current_ && current_->offset <= begin;
  for (int steps = 0; near && current_->end() <= begin; ++steps) {
    TRY(advance());
    if (!current_) return {};
    near = steps < kNearSteps;
  }
  if (near) return {};
  const std::string first = wire::extent_key(ino_, begin);
  rows_->seek_for_prev(first);
  if (!rows_->valid()) {
    TRY(rows_->status());
    rows_->seek(first);
  }
  TRY(load());
  while (current_ && current_->end() <= begin) TRY(advance());
  return {};
}

Status ExtentReader::visit(uint64_t begin, uint64_t end, const ExtentVisitor& visit) {
  TRY(find(begin));
  while (current_ && current_->offset < end) {
    if (!visit(*current_)) return {};
    if (current_->end() >= end) return {};  // it may overlap the next range as well
    TRY(advance());
  }
  return {};
}

Status visit_extents(kv::Store& store, const kv::Snapshot* snapshot, InodeId ino, uint64_t begin,
                     uint64_t end, const ExtentVisitor& visit) {
  return ExtentReader(store, snapshot, ino, end).visit(begin, end, visit);
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
