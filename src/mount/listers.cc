#include "mount/listers.h"

namespace nacre::mount {

bool Listers::enter(InodeId directory) {
  const os::Lock lock(mutex_);
  return entered_.insert(directory).second;
}

void Listers::leave(InodeId directory) {
  const os::Lock lock(mutex_);
  entered_.erase(directory);
}

}  // namespace nacre::mount
