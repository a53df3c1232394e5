// The blocks of files, as committed. Safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "kv/store.h"

namespace nacre::node {

// What a file needs of a block.
struct BlockRange {
  BlockId block = {};
  uint64_t offset = 0;
  uint64_t length = 0;
};

// Of the file, or of all files below the directory; nothing for anything else. Null: as of now.
Status visit_blocks_below(kv::Store& rows, const kv::Snapshot* at, InodeId ino,
                          const std::function<void(const BlockRange&)>& visit);

}  // namespace nacre::node
