#include "mount/sparse_seek.h"

namespace nacre::mount {
namespace {

uint64_t length_until(uint64_t from, const Result<uint64_t>& end) {
  return end.ok() && *end > from ? *end - from : 0;
}

Result<uint64_t> seek_hole(fs::Tree& tree, InodeId ino, uint64_t offset,
                           const WriteBack& write_back) {
  // A hole that is still the first one after write-back is one; else the next round looks at a
  // later one.
  Result<uint64_t> hole = tree.seek(ino, offset, fs::SeekKind::kHole);
  while (true) {
    const uint64_t start = hole.ok() ? *hole : offset;
    write_back(start, length_until(start, tree.seek(ino, start, fs::SeekKind::kData)));
    Result<uint64_t> again = tree.seek(ino, offset, fs::SeekKind::kHole);
    if (!again.ok() || (hole.ok() && *again == *hole)) return again;
    hole = again;
  }
}

}  // namespace

bool is_certain(const Result<uint64_t>& found, uint64_t offset, fs::SeekKind kind) {
  return kind == fs::SeekKind::kData && found.ok() && *found == offset;
}

Result<uint64_t> seek_written_back(fs::Tree& tree, InodeId ino, uint64_t offset, fs::SeekKind kind,
                                   const WriteBack& write_back) {
  if (kind == fs::SeekKind::kHole) return seek_hole(tree, ino, offset, write_back);
  Result<uint64_t> found = tree.seek(ino, offset, fs::SeekKind::kData);
  if (is_certain(found, offset, kind)) return found;
  write_back(offset, length_until(offset, found));
  return tree.seek(ino, offset, fs::SeekKind::kData);
}

}  // namespace nacre::mount
