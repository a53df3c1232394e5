// Distinct types for the ids of the design, so that one cannot be passed for another. All are
// plain values, ordered and hashable.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace nacre {

template <class Tag>
struct Id64 {
  uint64_t value = 0;
  friend auto operator<=>(Id64, Id64) = default;
};

// Bit 63 marks an inode seen through an old view, bits 62–51 are the virtual shard, the rest
// counts up. Never reused. 1 is the root.
using InodeId = Id64<struct InodeTag>;
inline constexpr InodeId kRootInode{1};
inline constexpr uint64_t kViewBit = uint64_t{1} << 63;

// The number of a commit. 0 is before the first.
using Sequence = Id64<struct SequenceTag>;

template <class Tag>
struct Id128 {
  uint64_t high = 0;
  uint64_t low = 0;
  friend auto operator<=>(Id128, Id128) = default;
  bool is_zero() const { return high == 0 && low == 0; }
};

// The upper 20 bits are random placement bits; the rest is unique.
using BlockId = Id128<struct BlockTag>;
// Given to an inode at birth and kept for ever, on every volume it is synced to.
using BirthId = Id128<struct BirthTag>;

// 32 hexadecimal digits.
std::string to_hex(uint64_t high, uint64_t low);
template <class Tag>
std::string to_hex(Id128<Tag> id) {
  return to_hex(id.high, id.low);
}

}  // namespace nacre

template <class Tag>
struct std::hash<nacre::Id64<Tag>> {
  size_t operator()(nacre::Id64<Tag> id) const noexcept {
    return static_cast<size_t>(id.value * 0x9E3779B97F4A7C15u >> 7);
  }
};
template <class Tag>
struct std::hash<nacre::Id128<Tag>> {
  size_t operator()(nacre::Id128<Tag> id) const noexcept {
    return static_cast<size_t>((id.high ^ (id.low * 0x9E3779B97F4A7C15u)) * 0x9E3779B97F4A7C15u >>
                               5);
  }
};
