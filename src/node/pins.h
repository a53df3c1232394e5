// What of a volume with a bucket is never to leave the disk: files, and directories with all that
// is below them, also what comes there later. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "kv/store.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "tier/tier_store.h"

namespace nacre::node {

inline constexpr uint64_t kMostPinnedPercent = 75;  // of the cache

struct Pin {
  InodeId ino = {};
  std::string path = {};  // where it was when it was pinned, from the root of the volume
};

class Pins {
 public:
  Pins(kv::Store& rows, os::Clock& clock) : rows_(rows), clock_(clock) {}

  // Durable on return.
  Status add(const Pin& pin);
  // False if it was not pinned itself.
  Result<bool> remove(InodeId ino);
  // In the order of inodes. Those that are gone since are in it, until remove().
  Result<std::vector<Pin>> list();
  // The blocks that stay, as of a moment ago: much less than a second, unless they are very many.
  // Null: nothing is pinned.
  tier::StayingPtr blocks();

 private:
  Result<tier::StayingPtr> find_blocks();
  void forget_blocks();

  kv::Store& rows_;
  os::Clock& clock_;
  os::Mutex mutex_;  // held while rows are read: others wait for the same answer
  tier::StayingPtr blocks_ GUARDED_BY(mutex_);
  int64_t next_look_ns_ GUARDED_BY(mutex_) = INT64_MIN;
};

}  // namespace nacre::node
