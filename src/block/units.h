// A block's bytes as stored: cut into units of 64 KiB, each compressed by itself so that a ranged
// read opens only what it needs. Pure functions; the table is untrusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"
#include "codec/compress.h"

namespace nacre::block {

inline constexpr uint64_t kUnitBytes = 64 * kKiB;

// Where each unit of a compressed block begins in its payload; the last entry is the payload's end.
// A unit as long as its bytes is stored as it is.
class UnitTable {
 public:
  // The table from the lengths of the units.
  static UnitTable of(const std::vector<uint32_t>& lengths);
  // For a payload of `payload_bytes` that holds `logical_bytes`. kCorrupt unless they fit together.
  static Result<UnitTable> decode(std::string_view stored, uint64_t logical_bytes,
                                  uint64_t payload_bytes);
  std::string encode() const;

  size_t units() const { return begins_.size() - 1; }
  uint64_t begin(size_t unit) const { return begins_[unit]; }
  uint64_t length(size_t unit) const { return begins_[unit + 1] - begins_[unit]; }

 private:
  std::vector<uint64_t> begins_{0};
};

struct CompressedBlock {
  std::string payload;
  UnitTable table;
};
// None when it does not save an eighth.
std::optional<CompressedBlock> compress_units(std::span<const ByteView> parts,
                                              codec::Compression compression);

}  // namespace nacre::block
