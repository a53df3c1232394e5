#include "mount/uncached.h"

namespace nacre::mount {

void UncachedInodes::add(InodeId ino) {
  const os::Lock lock(mutex_);
  ++references_[ino];
  used_.store(true, std::memory_order_release);
}

void UncachedInodes::forget(InodeId ino, uint64_t references) {
  if (!used_.load(std::memory_order_acquire)) return;
  const os::Lock lock(mutex_);
  const auto found = references_.find(ino);
  if (found == references_.end()) return;
  if (references >= found->second) {
    references_.erase(found);
  } else {
    found->second -= references;
  }
}

bool UncachedInodes::contains(InodeId ino) const {
  if (!used_.load(std::memory_order_acquire)) return false;
  const os::Lock lock(mutex_);
  return references_.contains(ino);
}

}  // namespace nacre::mount
