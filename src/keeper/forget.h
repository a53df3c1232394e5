// Erasing what one inode was: history that must go, kept or pinned as it may be.
#pragma once

#include <functional>

#include "base/ids.h"
#include "fs/volume.h"
#include "keeper/compaction.h"

namespace nacre::keeper {

struct ForgetOptions {
  // Its names of the past go as well, and where no live inode is left, its past attributes: as if
  // it had never been. Finding names reads all of history once. Otherwise old views show an empty
  // file.
  bool whole = false;
};

struct Forgotten {
  uint64_t versions = 0;  // past inode rows emptied or erased
  uint64_t extents = 0;   // past extents erased
  uint64_t names = 0;     // past names erased
  uint64_t blocks_freed = 0;
  uint64_t bytes_freed = 0;
  uint64_t damaged =
      0;  // blocks that hold forgotten bytes still, because they could not be rewritten
};

// Erases the past content, attributes and symlink targets of an inode, whatever retention and
// snapshots say; its present stays as it is. Blocks that held forgotten bytes are rewritten without
// them, so the bytes leave the block store; bytes that other files or the present share stay for
// them. A device may hold removed records until it reuses their space.
//
// Old views show an empty file from the first step on, never a file with holes in it. Takes several
// steps; when it fails or `go_on` returns false (kBusy) it can be asked again. kIsDirectory for a
// directory; kNotFound when neither the present nor history knows the inode. Call without locks.
Result<Forgotten> forget(fs::Volume& volume, Compactor& compactor, InodeId ino,
                         const ForgetOptions& options,
                         const std::function<bool(const Forgotten&)>& go_on = {});

}  // namespace nacre::keeper
