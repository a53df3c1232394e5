// Where data or a hole is in a file whose last writes the kernel may still hold: it asks without
// writing its dirty pages back. Dirty pages only ever add data, so only what the tree calls a hole
// needs to be written back before it can be trusted, and cached pages of data stay cached.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "fs/tree.h"

namespace nacre::mount {

// Makes the kernel write back what it holds of a file in [offset, offset + length); length 0: to
// the end.
using WriteBack = std::function<void(uint64_t offset, uint64_t length)>;

// As tree.seek(), after write-back. `write_back` blocks on requests that others serve.
Result<uint64_t> seek_written_back(fs::Tree& tree, InodeId ino, uint64_t offset, fs::SeekKind kind,
                                   const WriteBack& write_back);

// The answer when nothing needs to be written back for it; else nothing.
bool is_certain(const Result<uint64_t>& found, uint64_t offset, fs::SeekKind kind);

}  // namespace nacre::mount
