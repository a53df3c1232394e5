// Gives up nodes that are down for long: others then make their fragments anew. Every node watches
// all others, and whoever acts first does so for all. Works on a thread of its own, after start().
#pragma once

#include <cstdint>
#include <map>

#include "cluster/registry.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::cluster {

class GoneWatch {
 public:
  // `out_after_ns` of 0: never.
  GoneWatch(os::Clock& clock, Registry& registry, int64_t out_after_ns)
      : clock_(clock), registry_(registry), out_after_ns_(out_after_ns) {}
  ~GoneWatch() { stop(); }

  void start();
  void stop();
  // One look; where the thread does not run. What was down before the first look counts from then.
  void look();

 private:
  void run();
  void give_up(wire::NodeId node);

  os::Clock& clock_;
  Registry& registry_;
  const int64_t out_after_ns_;
  std::map<wire::NodeId, int64_t> down_since_;  // of whoever looks
  os::Mutex mutex_;                             // a leaf
  os::CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;
};

}  // namespace nacre::cluster
