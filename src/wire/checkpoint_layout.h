// A checkpoint: all rows as of one batch of the row log, in several objects, its parts, and a
// manifest, which is written last and makes it real. The bytes are described in
// docs/format/bucket.md. Pure; a writer is for one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"
#include "codec/protection.h"
#include "wire/row_object.h"

namespace nacre::wire {

inline constexpr uint32_t kMaxCheckpointParts = 1u << 16;
// No manifest is longer, so nobody need read more.
inline constexpr size_t kMaxManifestBytes = 2 * kMiB;

// Which checkpoint it is.
struct CheckpointPlace {
  VolumeId volume = {};
  uint32_t epoch = 0;
  uint64_t batch = 0;  // the last one that its rows contain
  friend bool operator==(const CheckpointPlace&, const CheckpointPlace&) = default;
};

struct CheckpointRow {
  uint8_t family = 0;
  std::string_view key = {};
  std::string_view value = {};
};

struct CheckpointPart {
  uint64_t object_bytes = 0;
  uint64_t sum = 0;  // XXH64 of the object
  friend bool operator==(const CheckpointPart&, const CheckpointPart&) = default;
};
CheckpointPart part_of(ByteView object);

class CheckpointPartWriter {
 public:
  // Parts are numbered from 0. `time` is that of the batch.
  CheckpointPartWriter(const CheckpointPlace& place, Timestamp time, uint32_t part)
      : header_{.place = {RowObjectKind::kCheckpointPart, place.volume, place.epoch, part},
                .first_batch = place.batch,
                .last_batch = place.batch,
                .first_time = time,
                .last_time = time} {}

  // Rows in the order of family and key, over all parts. kTooBig for one of more than 256 MiB.
  Status append(const CheckpointRow& row);
  // About what finish() will give.
  uint64_t object_bytes() const { return object_.object_bytes(); }
  // The object. The writer must not be used afterwards.
  std::string finish(const codec::Protection& protection);

 private:
  RowObjectHeader header_;
  RowObjectWriter object_;
  std::string item_;
};

// Calls `visit` with each row of what should be that part, in order, and ends with its first error.
// A row is good, and valid until `visit` returns. kCorrupt where damage begins, when it is another
// part, or when rows are not in order; kAccess when `protection` lacks the key.
Status visit_checkpoint_part(ByteView object, const CheckpointPlace& place, uint32_t part,
                             const codec::Protection& protection,
                             const std::function<Status(const CheckpointRow& row)>& visit);

struct CheckpointManifest {
  CheckpointPlace place = {};
  Timestamp time = {};      // of the batch
  Sequence committed = {};  // the last commit that the rows contain
  uint64_t rows = 0;        // in all parts
  uint64_t row_bytes = 0;   // of their keys and values
  uint64_t inodes = 0;      // of the volume
  uint64_t live_bytes = 0;  // of the volume
  std::vector<CheckpointPart> parts = {};
  friend bool operator==(const CheckpointManifest&, const CheckpointManifest&) = default;
};

// At most kMaxCheckpointParts.
std::string encode_checkpoint_manifest(const CheckpointManifest& manifest,
                                       const codec::Protection& protection);
// kCorrupt when it is damaged or is the manifest of another checkpoint; kAccess when `protection`
// lacks the key.
Result<CheckpointManifest> decode_checkpoint_manifest(ByteView object, const CheckpointPlace& place,
                                                      const codec::Protection& protection);

}  // namespace nacre::wire
