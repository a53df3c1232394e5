// New block ids.
#pragma once

#include "base/ids.h"
#include "os/random.h"

namespace nacre::block {

// 128 random bits: the upper 20 place the block, and the rest makes it unique. Never zero.
inline BlockId make_block_id(os::Random& random) {
  for (;;) {
    const BlockId id{random.next(), random.next()};
    if (!id.is_zero()) return id;
  }
}

}  // namespace nacre::block
