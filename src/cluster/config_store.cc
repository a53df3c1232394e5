#include "cluster/config_store.h"

namespace nacre::cluster {

NodeConfig ConfigStore::get() const {
  const os::Lock lock(mutex_);
  return config_;
}

Status ConfigStore::change(const std::function<void(NodeConfig&)>& change) {
  const os::Lock writing(writing_);
  const NodeConfig before = get();
  NodeConfig after = before;
  change(after);
  if (after == before) return {};
  TRY(files_.save(after));
  const os::Lock lock(mutex_);
  config_ = std::move(after);
  return {};
}

}  // namespace nacre::cluster
