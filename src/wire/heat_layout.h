// The file nacre.heat of a tiered volume: which blocks of its cache are read often, as of when it
// was closed last. A hint: without it, the cache learns anew. The bytes are described in
// docs/format/volume.md; this is the only place that writes or reads them. Pure functions, safe
// from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace nacre::wire {

inline constexpr size_t kMaxHeatBlocks = 32 * 1024;
// No file is longer, so nobody need read more.
inline constexpr size_t kMaxHeatBytes = 8 + 2 + 3 + kMaxHeatBlocks * 17 + 8;

struct BlockHeat {
  BlockId block;
  uint8_t uses = 0;  // lately
  friend bool operator==(const BlockHeat&, const BlockHeat&) = default;
};

// The whole file. Of more than kMaxHeatBlocks, the last ones.
std::string encode_heat(std::span<const BlockHeat> blocks);
// From the whole file. kCorrupt when it is none or damaged; kNewerFormat when a later version wrote
// it.
Result<std::vector<BlockHeat>> decode_heat(ByteView file);

}  // namespace nacre::wire
