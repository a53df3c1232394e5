#include "wire/row_segment.h"

#include <utility>

#include "base/check.h"

namespace nacre::wire {
namespace {

// The object is protected as a whole, so records need no seed of their own.
constexpr uint64_t kSeed = 0;
static_assert(kMaxBatchBytes <= kMaxRowItemBytes);

}  // namespace

Status SegmentWriter::append(const RowBatch& batch) {
  CHECK(batches_ == 0 || batch.number == header_.last_batch + 1);
  record_.clear();
  TRY(append_batch(batch, kSeed, record_));
  object_.append(as_bytes(record_));
  if (batches_++ == 0) {
    header_.first_batch = batch.number;
    header_.first_time = batch.time;
  }
  header_.last_batch = batch.number;
  header_.last_time = batch.time;
  return {};
}

std::string SegmentWriter::finish(const codec::Protection& protection) {
  CHECK(batches_ > 0);
  return object_.finish(header_, protection);
}

Result<SegmentReader> SegmentReader::open(ByteView object, VolumeId volume, uint32_t epoch,
                                          uint64_t number, codec::Protection protection) {
  const RowObjectPlace place{RowObjectKind::kSegment, volume, epoch, number};
  const RowObjectHeader header = TRY(open_row_object(object, place, protection));
  if (header.first_batch > header.last_batch) {
    return Error(Code::kCorrupt, "a segment of the row log ends before it begins");
  }
  return SegmentReader(object, header, std::move(protection));
}

Status SegmentReader::visit(const std::function<Status(const RowBatch& batch)>& visit) const {
  uint64_t seen = 0;
  TRY(visit_row_items(object_, protection_, [&](ByteView item) -> Status {
    const RowBatch batch = TRY(decode_batch(item, kSeed));
    if (batch.number != header_.first_batch + seen || batch.number > header_.last_batch) {
      return Error(Code::kCorrupt, "batches of the row log are not in order");
    }
    ++seen;
    return visit(batch);
  }));
  if (seen != header_.last_batch - header_.first_batch + 1) {
    return Error(Code::kCorrupt, "batches are missing at the end of a segment of the row log");
  }
  return {};
}

}  // namespace nacre::wire
