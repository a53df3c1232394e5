// The state of a cluster that all nodes agree on: its map, its tables of placement groups, and who
// is up. Kept in etcd (etcd_registry.h), and in memory for tests.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "block/cluster_view.h"

namespace nacre::cluster {

struct ClusterState {
  wire::ClusterMap map = {};
  std::map<uint16_t, wire::PgTable> tables = {};  // by pool
};

// Safe from any thread. view() is the newest known here; changes made elsewhere come by themselves.
class Registry : public block::ViewSource {
 public:
  // Changes its argument, or says why not. May be called several times, each time with the newest
  // state.
  using Change = std::function<Status(ClusterState&)>;

  // Applies the change to the newest state, all or nothing, however many nodes do so at a time, and
  // counts the map's epoch; a change that changes nothing is not stored. On return view() has it.
  // kUnavailable or kTimeout when the registry cannot be reached: in the latter case the change may
  // have been made.
  virtual Status change(const Change& change) = 0;
  // Called, on a thread of the registry, after each change of view(). One at a time; must not call
  // change(). Empty: nobody any more, and none runs on return.
  virtual void set_listener(std::function<void()> listener) = 0;
};

}  // namespace nacre::cluster
