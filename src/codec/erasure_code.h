// What protects a block: k data fragments and m of parity, any k of which give it back; and how
// many bytes of it each fragment holds. Pure values and functions, safe from any thread. The rules
// are part of the format: docs/format/cluster.md.
//
// A block is cut into k contiguous data fragments, so that a small read touches one. A short block
// fills as few fragments as it can: those past its end are empty and are never stored, and 4 KiB
// under 4+2 are one data fragment and two of parity.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nacre::codec {

inline constexpr unsigned kMaxFragments = 32;
// No data fragment but the last is shorter, so that small blocks are not torn into crumbs.
inline constexpr uint64_t kMinFragmentBytes = 4096;
inline constexpr uint64_t kFragmentAlignment = 64;

struct ErasureCode {
  uint8_t k = 1;  // data fragments
  uint8_t m = 0;  // parity fragments; copies of the one data fragment where k is 1

  unsigned n() const { return unsigned{k} + m; }
  bool is_valid() const { return k >= 1 && n() <= kMaxFragments; }
  friend auto operator<=>(const ErasureCode&, const ErasureCode&) = default;
};

// "4+2", or "3 copies" for 1+2, or "1 copy".
std::string to_string(ErasureCode code);
// The inverse, which takes 1+2 as well. kInvalid says what may be written.
Result<ErasureCode> parse_code(std::string_view text);

// A part of one fragment.
struct FragmentPiece {
  unsigned fragment = 0;
  uint64_t offset_bytes = 0;  // within the fragment
  uint64_t length_bytes = 0;
  friend bool operator==(const FragmentPiece&, const FragmentPiece&) = default;
};

// Which bytes of a block lie where. Fragments 0 to k-1 are data, k to n-1 parity.
class FragmentLayout {
 public:
  // The code must be valid.
  FragmentLayout(ErasureCode code, uint64_t block_bytes);

  ErasureCode code() const { return code_; }
  uint64_t block_bytes() const { return block_bytes_; }
  // The distance between the beginnings of two data fragments in the block.
  uint64_t stride_bytes() const { return stride_bytes_; }
  // Length of fragment `i`; parity is as long as the first data fragment, which is the longest.
  uint64_t bytes_of(unsigned i) const;
  // Length of the longest fragments, 0 for an empty block.
  uint64_t longest_bytes() const { return bytes_of(0); }
  // Data fragments that are not empty: always the first ones.
  unsigned data_stored() const { return data_stored_; }
  bool is_stored(unsigned i) const { return bytes_of(i) > 0; }
  // Fragments that are not empty, parity included.
  unsigned stored() const { return data_stored_ == 0 ? 0 : data_stored_ + code_.m; }
  // Where data fragment `i` begins in the block.
  uint64_t offset_of(unsigned i) const { return i * stride_bytes_; }
  // The pieces of data fragments that make up the range of the block, in its order. The part of the
  // range past the end of the block is nowhere.
  std::vector<FragmentPiece> pieces_of(uint64_t offset_bytes, uint64_t length_bytes) const;

 private:
  ErasureCode code_;
  uint64_t block_bytes_;
  uint64_t stride_bytes_;
  unsigned data_stored_;
};

inline FragmentLayout layout_of(ErasureCode code, uint64_t block_bytes) {
  return {code, block_bytes};
}

}  // namespace nacre::codec
