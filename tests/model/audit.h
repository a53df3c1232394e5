// The books of a closed volume, counted again from its rows: link counts, directory sizes,
// allocated bytes, extents that overlap or cross block boundaries, owners and references of blocks,
// and blocks that nobody owns or that are missing.
#pragma once

#include <string>

#include "block/store.h"
#include "kv/store.h"

namespace nacre::model {

// What does not add up, a line each; empty when all does.
std::string audit(kv::Store& rows, block::Store& blocks, uint64_t block_bytes);

}  // namespace nacre::model
