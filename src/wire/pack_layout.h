// A pack: an object of a bucket with several blocks, and a list of them at its end. The bytes are
// described in docs/format/bucket.md; this is the only place that writes or reads them, but for
// the units of the blocks, which are codec/pack_unit.h. Pure functions, safe from any thread.
//
// To find what a pack has: read its last kPackTrailerBytes, then the index that they tell of.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"
#include "codec/compress.h"
#include "codec/protection.h"
#include "wire/device_layout.h"

namespace nacre::wire {

using PackId = Id128<struct PackTag>;

inline constexpr size_t kPackHeaderBytes = 64;
inline constexpr size_t kPackTrailerBytes = 48;
inline constexpr uint64_t kMaxPackBytes = kGiB;
inline constexpr uint32_t kMaxPackBlocks = 1u << 16;
inline constexpr uint32_t kMaxPackIndexBytes = 16u << 20;

// Where a block lies in a pack.
struct PackedBlock {
  BlockId id = {};
  uint64_t offset_bytes = 0;   // of its first unit, from the beginning of the pack
  uint32_t logical_bytes = 0;  // of the block
  codec::Compression compression = codec::Compression::kNone;
  std::vector<uint32_t> unit_bytes = {};  // stored bytes of each unit; they lie without gaps

  uint64_t stored_bytes() const;
  // Where that unit begins in the pack; of the number of units: where the last one ends.
  uint64_t offset_of_unit(uint32_t unit) const;
  friend bool operator==(const PackedBlock&, const PackedBlock&) = default;
};

struct PackLocation {
  PackId pack = {};
  PackedBlock block = {};
  friend bool operator==(const PackLocation&, const PackLocation&) = default;
};

// All but the id of the block, for a row whose key has that.
std::string encode_location(const PackLocation& location);
Result<PackLocation> decode_location(std::string_view value, BlockId block);

struct PackHeader {
  VolumeId volume = {};
  PackId pack = {};
  bool sealed = false;
  friend bool operator==(const PackHeader&, const PackHeader&) = default;
};

// kPackHeaderBytes.
std::string encode_pack_header(const PackHeader& header);
Result<PackHeader> decode_pack_header(ByteView bytes);

struct PackTrailer {
  PackId pack = {};
  bool sealed = false;
  uint64_t index_offset = 0;  // where the blocks end
  uint32_t index_bytes = 0;
  uint32_t blocks = 0;
  friend bool operator==(const PackTrailer&, const PackTrailer&) = default;
};

// kPackTrailerBytes.
std::string encode_pack_trailer(const PackTrailer& trailer);
// From the last bytes of an object of `object_bytes`. kCorrupt when it is another pack's, or does
// not lie where it says.
Result<PackTrailer> decode_pack_trailer(ByteView bytes, PackId pack, uint64_t object_bytes);

// The list of the blocks, which end at `index_offset`: up to kMaxPackBlocks, in the order of their
// offsets. Its length is the trailer's index_bytes.
std::string encode_pack_index(const PackHeader& header, std::span<const PackedBlock> blocks,
                              uint64_t index_offset, const codec::Protection& protection);
// kCorrupt also when blocks overlap or lie outside; kAccess when `protection` lacks the key.
Result<std::vector<PackedBlock>> decode_pack_index(ByteView stored, const PackHeader& header,
                                                   const PackTrailer& trailer,
                                                   const codec::Protection& protection);

}  // namespace nacre::wire
