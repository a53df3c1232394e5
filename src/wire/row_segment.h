// A segment of the row log in the bucket: an object with consecutive batches. The bytes are
// described in docs/format/bucket.md. Pure; writer and reader are for one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/protection.h"
#include "wire/row_log_layout.h"
#include "wire/row_object.h"

namespace nacre::wire {

class SegmentWriter {
 public:
  SegmentWriter(VolumeId volume, uint32_t epoch, uint64_t number)
      : header_{.place = {RowObjectKind::kSegment, volume, epoch, number}} {}

  // Batches in the order of their numbers, without gaps. kTooBig as append_batch().
  Status append(const RowBatch& batch);
  uint64_t batches() const { return batches_; }
  // About what finish() will give.
  uint64_t object_bytes() const { return object_.object_bytes(); }
  // The object, which has at least one batch. The writer must not be used afterwards.
  std::string finish(const codec::Protection& protection);

 private:
  RowObjectHeader header_;
  RowObjectWriter object_;
  std::string record_;
  uint64_t batches_ = 0;
};

class SegmentReader {
 public:
  // `object` outlives the reader. kCorrupt when it is not that segment or is damaged where it
  // begins; kAccess when `protection` lacks the key.
  static Result<SegmentReader> open(ByteView object, VolumeId volume, uint32_t epoch,
                                    uint64_t number, codec::Protection protection);

  // First and last batch, and their times.
  const RowObjectHeader& header() const { return header_; }
  // Calls `visit` with each batch in order, and ends with its first error. A batch is good, and
  // valid until `visit` returns. kCorrupt where damage begins, and when batches lack.
  Status visit(const std::function<Status(const RowBatch& batch)>& visit) const;

 private:
  SegmentReader(ByteView object, const RowObjectHeader& header, codec::Protection protection)
      : object_(object), header_(header), protection_(std::move(protection)) {}

  ByteView object_;
  RowObjectHeader header_;
  codec::Protection protection_;
};

}  // namespace nacre::wire
