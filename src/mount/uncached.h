// The inodes the kernel must not keep attributes or missing names of: those that some lookup found
// under an entry that is not cacheable. Counted by the kernel's references, so it holds no more
// than the kernel does. Safe from any thread; free of locks while it is empty.
#pragma once

#include <atomic>
#include <cstdint>
#include <unordered_map>

#include "base/ids.h"
#include "os/mutex.h"

namespace nacre::mount {

class UncachedInodes {
 public:
  // One more reference to `ino`, found under an entry that is not cacheable.
  void add(InodeId ino);
  // References given back.
  void forget(InodeId ino, uint64_t references);
  bool contains(InodeId ino) const;

 private:
  std::atomic<bool> used_ =
      false;                 // ever added to; mounts without such entries stay free of the lock
  mutable os::Mutex mutex_;  // a leaf
  std::unordered_map<InodeId, uint64_t> references_ GUARDED_BY(mutex_);
};

}  // namespace nacre::mount
