#include "fs/promises.h"

#include <algorithm>

namespace nacre::fs {

void Promises::add(InodeId ino, uint64_t bytes) {
  promises_[ino].fresh += bytes;
  total_ += bytes;
}

uint64_t Promises::use(InodeId ino, uint64_t bytes) {
  const auto found = promises_.find(ino);
  if (found == promises_.end()) return 0;
  Promise& promise = found->second;
  const uint64_t of_aged = std::min(bytes, promise.aged);
  const uint64_t of_fresh = std::min(bytes - of_aged, promise.fresh);
  promise.aged -= of_aged;
  promise.fresh -= of_fresh;
  total_ -= of_aged + of_fresh;
  if (promise.aged + promise.fresh == 0) promises_.erase(found);
  return of_aged + of_fresh;
}

std::vector<InodeId> Promises::age() {
  std::vector<InodeId> inodes;
  for (auto& [ino, promise] : promises_) {
    promise.aged += promise.fresh;
    promise.fresh = 0;
    inodes.push_back(ino);
  }
  return inodes;
}

void Promises::drop_aged() {
  for (auto& [ino, promise] : promises_) {
    total_ -= promise.aged;
    promise.aged = 0;
  }
  std::erase_if(promises_, [](const auto& entry) { return entry.second.fresh == 0; });
}

}  // namespace nacre::fs
