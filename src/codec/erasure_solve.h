// Which sums of the fragments at hand give those that are wanted: the linear algebra behind
// ErasureCoder::reconstruct(). Internal to codec; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/erasure_code.h"

namespace nacre::codec {

struct ErasureSolution {
  std::vector<unsigned> sources;      // indexes of the fragments to sum, ascending
  std::vector<uint8_t> coefficients;  // one row of sources.size() for each wanted fragment
};

// `matrix` is m × k. `present[i]` for each of the n fragments; the first `data_stored` data
// fragments are the ones that are not empty, and only they are among `wanted`, besides parity.
// Nothing when too few are present.
std::optional<ErasureSolution> solve_erasure(ErasureCode code, std::span<const uint8_t> matrix,
                                             unsigned data_stored, const std::vector<bool>& present,
                                             std::span<const unsigned> wanted);

}  // namespace nacre::codec
