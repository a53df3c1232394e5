// Moving what is left of blocks into a new block: the work of compaction and of forgetting.
//
// Survivors are read and put into one new block; then live and past rows are pointed at it, a batch
// at a time; the old blocks go with their last reference. At every moment each row points at a
// stored block, and a crash leaves at worst bytes to be swept.
#pragma once

#include <functional>
#include <vector>

#include "base/ids.h"
#include "fs/volume.h"
#include "keeper/byte_ranges.h"

namespace nacre::keeper {

// A block and the bytes of it that rows refer to.
struct Victim {
  BlockId block;
  uint64_t stored_bytes = 0;
  ByteRanges survivors;
};

struct Repacked {
  uint64_t blocks_freed = 0;
  uint64_t bytes_written = 0;
  uint64_t bytes_freed = 0;  // of blocks gone, before what was written
  uint64_t rows_moved = 0;
  std::vector<BlockId> damaged;  // could not be read: left as they are
};

// Moves the survivors of all victims, each another block, into one new block; together they fit
// one. Bytes that gain a reference meanwhile keep their old block. kNoSpace: there is no room for
// the copy. Call without locks.
Result<Repacked> repack(fs::Volume& volume, std::vector<Victim> victims);

}  // namespace nacre::keeper
