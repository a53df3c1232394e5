// How many times the kernel holds each inode. Compact: one million held inodes cost about 32 MiB.
// Safe from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "os/mutex.h"

namespace nacre::fs {

class References {
 public:
  void add(InodeId ino) EXCLUDES(mutex_);
  // Gives `count` back; returns what is left.
  uint64_t subtract(InodeId ino, uint64_t count) EXCLUDES(mutex_);
  uint64_t count(InodeId ino) const EXCLUDES(mutex_);
  std::vector<InodeId> all() const EXCLUDES(mutex_);
  // Inodes held.
  size_t size() const EXCLUDES(mutex_);

 private:
  // Open addressing with linear probing and backward-shift deletion.
  struct Slot {
    uint64_t ino = 0;  // 0: empty
    uint32_t count = 0;
  };
  size_t find(uint64_t ino) const REQUIRES(mutex_);
  void grow() REQUIRES(mutex_);
  void erase(size_t slot) REQUIRES(mutex_);

  mutable os::Mutex mutex_;  // a leaf
  std::vector<Slot> slots_ GUARDED_BY(mutex_) = std::vector<Slot>(1024);
  size_t used_ GUARDED_BY(mutex_) = 0;
};

}  // namespace nacre::fs
