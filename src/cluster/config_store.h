// What node.json says, shared by all parts of a running node: one owner, so that none overwrites
// what another has changed. Safe from any thread.
#pragma once

#include <functional>

#include "base/result.h"
#include "cluster/node_files.h"
#include "os/mutex.h"

namespace nacre::cluster {

class ConfigStore {
 public:
  // `files` outlives it.
  ConfigStore(NodeFiles& files, NodeConfig config) : files_(files), config_(std::move(config)) {}

  NodeConfig get() const;
  // Durable on return, and not seen by anybody before. What changes nothing is not written.
  Status change(const std::function<void(NodeConfig&)>& change);

 private:
  NodeFiles& files_;
  os::Mutex writing_;        // held while it is saved: changes come one after another
  mutable os::Mutex mutex_;  // a leaf
  NodeConfig config_ GUARDED_BY(mutex_);
};

}  // namespace nacre::cluster
