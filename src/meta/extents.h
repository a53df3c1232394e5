// Where a file's bytes are: its extents, present or past. Extents of one file never overlap at any
// one moment and never cross a multiple of the volume's block size, so that whatever covers an
// offset begins in the same window.
#pragma once

#include <functional>
#include <memory>
#include <optional>

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

// The committed extents of one file, as of when it was made. Ranges are found fastest in ascending
// order. For one thread.
class ExtentReader {
 public:
  // Up to `end`. `store` and `snapshot`, which may be null, outlive it.
  ExtentReader(kv::Store& store, const kv::Snapshot* snapshot, InodeId ino,
               uint64_t end = uint64_t{INT64_MAX});

  // The extents that overlap [begin, end), ascending, whole (not trimmed to the range).
  Status visit(uint64_t begin, uint64_t end, const ExtentVisitor& visit);

 private:
  Status load();
  Status advance();
  Status find(uint64_t begin);

  const InodeId ino_;
  const std::unique_ptr<kv::Iterator> rows_;
  std::optional<Extent> current_;  // where `rows_` is, if anywhere
};

// The same for a single range.
Status visit_extents(kv::Store& store, const kv::Snapshot* snapshot, InodeId ino, uint64_t begin,
                     uint64_t end, const ExtentVisitor& visit);
// The same as of `at`. `block_size` is the volume's.
Status visit_past_extents(kv::Store& store, Sequence at, uint64_t block_size, InodeId ino,
                          uint64_t begin, uint64_t end, const ExtentVisitor& visit);

}  // namespace nacre::meta
