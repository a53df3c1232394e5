// Space promised to writes that the kernel has taken into its cache and will send later, by inode.
//
// Counts are upper bounds: the kernel sends a page that was written twice only once. So a promise
// may be left over when all is sent. age() and drop_aged() find that out: between them the caller
// makes the kernel send everything. Not thread-safe.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/ids.h"

namespace nacre::fs {

class Promises {
 public:
  // Bytes promised and not yet used.
  uint64_t total() const { return total_; }
  void add(InodeId ino, uint64_t bytes);
  // `bytes` arrived, or the inode is gone. Aged ones are used first. Returns how many of the bytes
  // were promised.
  uint64_t use(InodeId ino, uint64_t bytes);
  // All promises made so far are aged from now on. Returns the inodes that have any.
  std::vector<InodeId> age();
  // Whatever of the aged ones is left is not needed.
  void drop_aged();

 private:
  struct Promise {
    uint64_t aged = 0;
    uint64_t fresh = 0;
  };
  std::unordered_map<InodeId, Promise> promises_;
  uint64_t total_ = 0;
};

}  // namespace nacre::fs
