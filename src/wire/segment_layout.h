// What a segment holds: a header page, records one after another, and once it is full a summary
// that lists them. The bytes are described in docs/format/device.md; this is the only place that
// writes or reads them. Pure functions, safe from any thread.
//
// Decoders take bytes nobody vouches for and answer kCorrupt, or kNewerFormat for a version they
// do not know. Every checksum here is seeded with checksum_seed() of the device. Positions inside
// a segment are in pages of kDevicePageBytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "wire/device_layout.h"

namespace nacre::wire {

inline constexpr uint32_t kMaxStoredBytes = 128u << 20;
inline constexpr uint32_t kMaxDescriptorBytes = 16u << 10;
inline constexpr uint32_t kRecordHeadFixedBytes = 96;
inline constexpr uint32_t kMaxRecordHeadBytes =
    kRecordHeadFixedBytes + kMaxDescriptorBytes + kMaxStoredBytes / kChecksumPageBytes * 8;

enum class SegmentState : uint8_t {
  kUsed = 1,  // records of `generation` may follow
  kFree = 2,  // whatever follows, up to and including `generation`, counts no more
};

struct SegmentHeader {
  SegmentState state = SegmentState::kUsed;
  DeviceId device = {};
  uint32_t segment = 0;
  // Of this use of the segment. Every use has one of its own, higher than all before on the
  // device: the epoch of the superblock, then a counter of 32 bits.
  uint64_t generation = 0;
  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

// One page.
std::string encode_segment_header(const SegmentHeader& header);
Result<SegmentHeader> decode_segment_header(ByteView page, DeviceId device);

enum class RecordKind : uint8_t {
  kFragment = 1,    // the payload is a fragment of a block
  kTombstones = 2,  // the payload is a list of removals
};

// Everything of a record but its payload.
struct RecordHead {
  RecordKind kind = RecordKind::kFragment;
  uint8_t compression = 0;  // codec::Compression; the device passes it through
  uint8_t sealing = 0;      // 0: none; the device passes it through
  uint16_t fragment = 0;
  BlockId id = {};
  uint64_t generation = 0;      // of the segment when this was written
  uint64_t sequence = 0;        // of the write on this device; rises within a segment
  uint64_t birth = 0;           // sequence of the first copy; cleaning moves it along unchanged
  uint32_t page = 0;            // where the record begins
  uint32_t pages = 0;           // its length
  uint32_t synced_pages = 0;    // of the segment, known durable when this was written
  uint32_t logical_bytes = 0;   // before compression and sealing; the device passes it through
  uint32_t stored_bytes = 0;    // of the payload
  uint32_t payload_offset = 0;  // from the beginning of the record
  std::string descriptor = {};  // the owner's; the device passes it through
  std::vector<uint64_t> page_checksums = {};  // of the payload, kChecksumPageBytes each

  friend bool operator==(const RecordHead&, const RecordHead&) = default;
};

// Bytes of the head: fixed part, descriptor and checksums.
uint32_t record_head_bytes(uint32_t descriptor_bytes, uint32_t stored_bytes);
// Sets pages and payload_offset from the other lengths: the payload begins at a page, unless the
// whole record fits into one.
void lay_out(RecordHead& head);
// payload_offset bytes, zero-padded behind the head.
std::string encode_record_head(const RecordHead& head, uint64_t seed);
// How many bytes decode_record_head() needs, from the first kRecordHeadFixedBytes of them; at most
// kMaxRecordHeadBytes. kCorrupt where no record begins.
Result<uint32_t> peek_record_head(ByteView fixed);
Result<RecordHead> decode_record_head(ByteView head, uint64_t seed);

// A removal: the copies of the fragment born up to `birth` are dead, wherever they lie. Needed as
// long as `segment` is in its use `generation`, which holds such a copy.
struct Tombstone {
  BlockId id = {};
  uint16_t fragment = 0;
  uint64_t birth = 0;
  uint64_t generation = 0;
  uint32_t segment = 0;
  friend bool operator==(const Tombstone&, const Tombstone&) = default;
};
inline constexpr uint32_t kTombstoneBytes = 40;

std::string encode_tombstones(std::span<const Tombstone> tombstones);
Result<std::vector<Tombstone>> decode_tombstones(ByteView payload);

// What opening needs to know of a record.
struct SummaryRecord {
  RecordKind kind = RecordKind::kFragment;
  uint16_t fragment = 0;
  BlockId id = {};
  uint64_t birth = 0;
  uint32_t page = 0;
  uint32_t pages = 0;
  uint32_t stored_bytes = 0;
  uint32_t logical_bytes = 0;
  friend bool operator==(const SummaryRecord&, const SummaryRecord&) = default;
};
SummaryRecord summary_of(const RecordHead& head);

struct Summary {
  uint32_t segment = 0;
  uint64_t generation = 0;
  uint64_t last_sequence = 0;
  uint32_t end_page = 0;    // the first not used by records
  bool appendable = false;  // closed in good order: more records may follow, once it is erased
  std::vector<SummaryRecord> records = {};  // in the order of their pages
  std::vector<Tombstone> tombstones = {};   // of all tombstone records
  friend bool operator==(const Summary&, const Summary&) = default;
};
inline constexpr uint32_t kSummaryFooterBytes = 64;

// Whole pages, at the end of the segment.
uint32_t summary_pages(uint64_t records, uint64_t tombstones);
std::string encode_summary(const Summary& summary, uint64_t seed);
// How many pages decode_summary() needs, from the last kSummaryFooterBytes of the segment; at most
// `segment_pages`. kCorrupt where no summary ends.
Result<uint32_t> peek_summary(ByteView footer, uint32_t segment_pages, uint64_t seed);
// From the last pages of a segment. Records are checked to lie inside it, in order.
Result<Summary> decode_summary(ByteView pages, uint32_t segment_pages, uint64_t seed);

}  // namespace nacre::wire
