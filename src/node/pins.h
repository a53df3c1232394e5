// What of a volume with a bucket is never to leave the disk: files, and directories with all that
// is below them, also what comes there later. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "kv/store.h"
#include "os/clock.h"
#include "os/mutex.h"

namespace nacre::node {

struct Pin {
  InodeId ino = {};
  std::string path = {};  // where it was when it was pinned, from the root of the volume
};

class Pins {
 public:
  using Blocks = std::unordered_set<BlockId>;

  Pins(kv::Store& rows, os::Clock& clock) : rows_(rows), clock_(clock) {}

  // Durable on return.
  Status add(const Pin& pin);
  // False if it was not pinned itself.
  Result<bool> remove(InodeId ino);
  // In the order of inodes. Those that are gone since are in it, until remove().
  Result<std::vector<Pin>> list();
  // The blocks that stay, as of some seconds ago at most. Null: none.
  std::shared_ptr<const Blocks> blocks();

 private:
  Result<std::shared_ptr<const Blocks>> find_blocks();
  void forget_blocks();

  kv::Store& rows_;
  os::Clock& clock_;
  os::Mutex mutex_;  // held while rows are read: others wait for the same answer
  std::shared_ptr<const Blocks> blocks_ GUARDED_BY(mutex_);
  std::optional<int64_t> found_ns_ GUARDED_BY(mutex_);
};

}  // namespace nacre::node
