// Ids for new blocks.
#pragma once

#include "base/ids.h"
#include "os/random.h"

namespace nacre::block {

// 128 random bits: the upper 20 place the block, and all of them together are never met twice.
inline BlockId make_block_id(os::Random& random) { return {random.next(), random.next()}; }

}  // namespace nacre::block
