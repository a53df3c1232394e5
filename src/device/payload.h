// The payload of a record and its checksums: one XXH64 per wire::kChecksumPageBytes. Thread-safe:
// no state.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "device/backing.h"
#include "wire/segment_layout.h"

namespace nacre::device {

// Of the concatenation of the parts.
std::vector<uint64_t> checksums_of(std::span<const ByteView> parts);

// Reads the head of the record at `page` of a segment and checks that it belongs there, in the
// use `generation` of the segment. kCorrupt otherwise.
Result<wire::RecordHead> read_head(const SegmentFile& file, uint32_t page, uint64_t generation,
                                   uint64_t seed);

// Fills `into` with the payload from `offset`, which must lie inside it. Reads and verifies the
// checksum pages that the range touches, and no others. kCorrupt when one does not match; the
// context then is the byte of the segment where that page begins.
Status read_payload(const SegmentFile& file, const wire::RecordHead& head, uint64_t offset,
                    MutableBytes into);

// Inverts `count` bytes of the payload from `offset`, which it must have, and leaves the checksums
// as they are. Durable on return. The byte of the segment where it began.
Result<uint64_t> flip_payload(const SegmentFile& file, const wire::RecordHead& head,
                              uint64_t offset, size_t count);

}  // namespace nacre::device
