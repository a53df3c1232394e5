// The arithmetic of erasure codes: systematic Reed–Solomon over GF(2^8), by ISA-L.
//
// The parity matrix is a Cauchy matrix whose columns and rows are scaled so that its first row and
// its first column are ones (Blömer et al., "An XOR-based erasure-resilient coding scheme", 1995;
// scaling changes no rank, so any k of the n fragments suffice for every valid code). Thus one
// parity fragment is the XOR of the data, and under 1+m every fragment is a copy. The matrix is
// part of the format: docs/format/cluster.md.
//
// Fragments are coded where they lie: nothing as long as a block is copied, and missing tails of
// short fragments count as zeros without being there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/erasure_code.h"

namespace nacre::codec {

// The longest fragment that can be coded.
inline constexpr uint64_t kMaxFragmentBytes = uint64_t{1} << 30;

struct PresentFragment {
  unsigned index = 0;
  ByteView bytes;
};
struct WantedFragment {
  unsigned index = 0;
  MutableBytes into;
};
// A range of every fragment at once. Of a fragment that ends within it, the part before its end.
struct FragmentRange {
  uint64_t offset_bytes = 0;
  uint64_t length_bytes = UINT64_MAX;
};

// For one code; immutable once made, so safe from any thread. Views must not overlap.
class ErasureCoder {
 public:
  // The code must be valid.
  explicit ErasureCoder(ErasureCode code);

  ErasureCode code() const { return code_; }
  // Coefficient of data fragment `data` (below k) in parity fragment `parity` (below m).
  uint8_t coefficient(unsigned parity, unsigned data) const;

  // The m parity fragments of the block `data`, each FragmentLayout::longest_bytes() long.
  void encode(ByteView block, std::span<const MutableBytes> parity) const;
  // The same of data fragments that lie apart: those that are stored, in order, of the lengths that
  // a layout has (all as long as the first, but the last may be shorter).
  void encode(std::span<const ByteView> data, std::span<const MutableBytes> parity) const;

  // Fills the wanted fragments, data or parity, from those at hand: any k of the n, where empty
  // ones count as present. All views hold `range` of their fragment and no more. kUnavailable when
  // too few are present, kInvalid when a length is not that of the layout, an index is no
  // fragment's or comes twice; then nothing was written.
  Status reconstruct(const FragmentLayout& layout, std::span<const PresentFragment> present,
                     std::span<const WantedFragment> wanted, FragmentRange range = {}) const;

 private:
  using Bytes = std::vector<uint8_t>;

  ErasureCode code_;
  Bytes matrix_;  // m rows × k
  Bytes tables_;  // ISA-L's, 32 bytes for each coefficient
};

}  // namespace nacre::codec
