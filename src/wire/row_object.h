// What the objects with rows have in common, segments of the row log (row_segment.h) and parts of
// checkpoints (checkpoint_layout.h): a header, then their items in chunks of up to 1 MiB, each
// compressed, and protected so that none can be missing, elsewhere or from another object. The
// bytes are described in docs/format/bucket.md. Pure; a writer is for one thread at a time.
//
// An item is bytes that begin with their own length: a u32, which counts itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"
#include "codec/compress.h"
#include "codec/protection.h"
#include "wire/device_layout.h"

namespace nacre::wire {

inline constexpr size_t kRowObjectHeaderBytes = 96;
inline constexpr uint32_t kRowChunkBytes = 1u << 20;
inline constexpr uint32_t kMaxRowItemBytes = 256u << 20;

enum class RowObjectKind { kSegment, kCheckpointPart };

// Which object it is: its name says so, too.
struct RowObjectPlace {
  RowObjectKind kind = RowObjectKind::kSegment;
  VolumeId volume = {};
  uint32_t epoch = 0;
  uint64_t number = 0;  // of the segment, or of the part
  friend bool operator==(const RowObjectPlace&, const RowObjectPlace&) = default;
};

struct RowObjectHeader {
  RowObjectPlace place = {};
  uint64_t first_batch = 0;
  uint64_t last_batch = 0;
  Timestamp first_time = {};
  Timestamp last_time = {};
  friend bool operator==(const RowObjectHeader&, const RowObjectHeader&) = default;
};

class RowObjectWriter {
 public:
  // Whole items. They are compressed whenever a chunk is full; the object is held in memory.
  void append(ByteView items);
  // About what finish() will give.
  uint64_t object_bytes() const;
  // The object. The writer is empty afterwards.
  std::string finish(const RowObjectHeader& header, const codec::Protection& protection);

 private:
  struct Chunk {
    uint32_t plain_bytes = 0;
    std::string bytes;  // compressed, or as they are
  };
  void close_chunk();

  codec::Compressor compressor_{codec::Compression::kZstd};
  std::string open_;
  std::vector<Chunk> chunks_;
  uint64_t closed_bytes_ = 0;  // of all chunks
};

// The header of what should be that object. kCorrupt when it is another one or is damaged; kAccess
// when `protection` lacks the key; kNewerFormat for one of a later version.
Result<RowObjectHeader> open_row_object(ByteView object, const RowObjectPlace& place,
                                        const codec::Protection& protection);

// Calls `visit` with each item of an object that open_row_object() took, in order, and ends with
// its first error. An item is good, and valid until `visit` returns; that nothing lacks behind it
// is known only at the end. Holds about one item and one chunk in memory.
Status visit_row_items(ByteView object, const codec::Protection& protection,
                       const std::function<Status(ByteView item)>& visit);

}  // namespace nacre::wire
