// Rows of the family `blocks` of a tiered volume: where the blocks of a volume lie in its bucket,
// and what its packs hold. docs/format/rows.md gives the bytes. Decoders take untrusted bytes: they
// answer kCorrupt and never read past the end. Pure functions, safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"
#include "wire/pack_layout.h"

namespace nacre::wire {

inline constexpr char kLocationRowKind = 'l';
inline constexpr char kPackRowKind = 'p';
inline constexpr char kDeadPackRowKind = 'x';
inline constexpr char kPackMemberRowKind = 'i';
inline constexpr char kPinRowKind = 'n';

// → encode_location(): the block is in the bucket.
std::string location_key(BlockId block);
// → PackRow: the pack is in the bucket.
std::string pack_key(PackId pack);
// → DeadPackRow: nothing in the pack is needed any more.
std::string dead_pack_key(PackId pack);
// → encode_member(): the block that begins there in the pack, and is in use.
std::string pack_member_key(PackId pack, uint64_t offset_bytes);
std::string pack_member_prefix(PackId pack);

// → where it was when it was pinned: what never leaves the disk.
std::string pin_key(InodeId ino);

Result<BlockId> decode_location_key(std::string_view key);
// Of kPackRowKind and kDeadPackRowKind.
Result<PackId> decode_pack_key(std::string_view key);
struct PackMemberKey {
  PackId pack = {};
  uint64_t offset_bytes = 0;
};
Result<PackMemberKey> decode_pack_member_key(std::string_view key);

Result<InodeId> decode_pin_key(std::string_view key);

struct PackRow {
  uint64_t object_bytes = 0;
  uint64_t live_bytes = 0;  // stored bytes of its blocks in use
  uint64_t blocks = 0;      // in use
  Timestamp written = {};
  friend bool operator==(const PackRow&, const PackRow&) = default;
};
std::string encode(const PackRow& row);
Result<PackRow> decode_pack(std::string_view value);

struct DeadPackRow {
  uint64_t batch = 0;  // number, in the row log, of the batch that released it
  friend bool operator==(const DeadPackRow&, const DeadPackRow&) = default;
};
std::string encode(const DeadPackRow& row);
Result<DeadPackRow> decode_dead_pack(std::string_view value);

std::string encode_member(BlockId block);
Result<BlockId> decode_member(std::string_view value);

}  // namespace nacre::wire
