// Reads what a segment holds, from the disk alone: its header, its summary if it was sealed, else
// record by record. For opening, cleaning and checking. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/backing.h"
#include "wire/segment_layout.h"

namespace nacre::device {

struct SegmentContents {
  wire::Summary summary;  // of a summary, or made up from the records found
  bool sealed = false;    // there was a summary
  // Found on a walk:
  uint32_t torn_records = 0;  // not whole and not known to have been durable: left out
  uint32_t lost_places = 0;   // stretches of bytes that should be records and are not
  bool unreadable = false;    // the host could not read some of it: there may be more records
};

enum class HeaderState { kBlank, kFree, kUsed, kBad };
struct FoundHeader {
  HeaderState state = HeaderState::kBlank;
  uint64_t generation = 0;
  Error error = Error(Code::kCorrupt);  // of a bad one
};

class SegmentReader {
 public:
  explicit SegmentReader(const wire::Superblock& superblock)
      : superblock_(superblock),
        seed_(wire::checksum_seed(superblock.device)),
        segment_pages_(static_cast<uint32_t>(superblock.segment_bytes / wire::kDevicePageBytes)) {}

  // Never fails: what cannot be read or decoded is bad.
  FoundHeader read_header(const SegmentFile& file, uint32_t segment) const;

  // The summary at the end of the segment. kCorrupt if there is none, or it is damaged or of
  // another use than `generation` (any, when 0).
  Result<wire::Summary> read_summary(const SegmentFile& file, uint32_t segment,
                                     uint64_t generation) const;

  // Walks the records in the order they were written, and verifies their payloads. `generation` 0
  // takes that of the first record found. Bytes that are no record are skipped, page by page: a
  // record that was durable is found behind one that is damaged or was never finished. A record
  // whose payload is bad is left out as torn, unless a later one says that it had been durable.
  SegmentContents walk(const SegmentFile& file, uint32_t segment, uint64_t generation) const;

  // The summary if it is good, else the walk.
  SegmentContents read(const SegmentFile& file, uint32_t segment, uint64_t generation) const;

 private:
  struct Walk;
  // The record at the walk's page, if one is there.
  std::optional<wire::RecordHead> record_at(Walk& walk) const;
  void take(Walk& walk, const wire::RecordHead& head) const;
  SegmentContents finish(Walk& walk) const;

  const wire::Superblock superblock_;
  const uint64_t seed_;
  const uint32_t segment_pages_;
};

}  // namespace nacre::device
