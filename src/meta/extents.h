// Where a file's bytes are: its extents, present or past. Extents of one file never overlap at any
// one moment and never cross a multiple of the volume's block size, so that whatever covers an
// offset begins in the same window.
#pragma once

#include <functional>

#include "base/ids.h"
#include "kv/store.h"
#include "wire/rows.h"

namespace nacre::meta {

struct Extent {
  uint64_t offset = 0;
  wire::ExtentRow row;
  uint64_t end() const { return offset + row.length; }
};

// Return false to stop.
using ExtentVisitor = std::function<bool(const Extent&)>;

// The committed extents that overlap [begin, end), ascending, whole (not trimmed to the range).
Status visit_extents(kv::Store& store, const kv::Snapshot* snapshot, InodeId ino, uint64_t begin,
                     uint64_t end, const ExtentVisitor& visit);
// The same as of `at`. `block_size` is the volume's.
Status visit_past_extents(kv::Store& store, Sequence at, uint64_t block_size, InodeId ino,
                          uint64_t begin, uint64_t end, const ExtentVisitor& visit);

}  // namespace nacre::meta
