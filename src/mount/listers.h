// Who reads which directory with the help of the kernel's cache of its entries.
//
// The kernel looks whether that cache is out of date when a reader begins. Two readers who fill it
// together escape that: what one was answered before a change, it may add behind what another, who
// began after the change, has filled in. So one reader of a directory at a time has the cache, and
// others do without. Safe from any thread.
#pragma once

#include <unordered_set>

#include "base/ids.h"
#include "os/mutex.h"

namespace nacre::mount {

class Listers {
 public:
  // Whether a reader that opens the directory now has the cache; if so until leave().
  bool enter(InodeId directory);
  void leave(InodeId directory);

 private:
  os::Mutex mutex_;  // a leaf
  std::unordered_set<InodeId> entered_ GUARDED_BY(mutex_);
};

}  // namespace nacre::mount
