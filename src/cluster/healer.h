// Brings the devices of this node to what the map says they hold: fragments that move here or were
// lost, those that were written or deleted while the node was away, and those that somebody found
// damaged. Works on a thread of its own, after start(); the other methods may be called from any.
//
// A group is filled by asking its other devices what they have. Nothing acknowledged can be missed
// as long as no more than m of the n cannot be asked; with more, it waits.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "block/cluster_blocks.h"
#include "cluster/census.h"
#include "cluster/device_set.h"
#include "cluster/fragment_service.h"
#include "cluster/registry.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::cluster {

struct HealerOptions {
  int64_t retry_ns = 2'000'000'000;   // after a pass that could not do everything
  int64_t sweep_ns = 30'000'000'000;  // between looks for what is no longer to be here
  unsigned parallel = 4;              // fragments rebuilt at a time
};

struct HealStatus {
  uint64_t groups_waiting = 0;     // of this node's devices, not filled yet
  uint64_t fragments_rebuilt = 0;  // since it started
  uint64_t bytes_rebuilt = 0;
  uint64_t fragments_repaired = 0;  // found damaged
  uint64_t fragments_swept = 0;     // moved elsewhere or deleted meanwhile
  bool caught_up = false;           // with what happened while the node was away
  std::string trouble = {};         // why it does not get on
};

class Healer {
 public:
  Healer(os::Clock& clock, Registry& registry, block::ClusterBlocks& blocks,
         block::NodeClients& clients, DeviceSet& devices, FragmentService& fragments,
         HealerOptions options = {});
  ~Healer() { stop(); }

  void start();
  void stop();
  // The registry's view has changed.
  void look_again();
  // The others may have taken this node for gone: what was deleted and written meanwhile is asked
  // for, as after a start. Does not wait for that.
  void was_away();
  // Somebody found that fragment damaged or missing. Forgotten when very many wait.
  void ask(const block::FragmentPlace& place);
  HealStatus status();

 private:
  // A fragment position of a group that a device of this node is to hold.
  struct Duty {
    uint32_t pg = 0;
    unsigned position = 0;
    bool moving = false;  // has a source
  };

  void run();
  bool wait_for_work();
  void heal_asked();
  void heal_one(const block::FragmentPlace& place);
  bool forget_deleted();
  void come_back();
  std::vector<Duty> duties_of(const block::ClusterView& view, const wire::Pool& pool,
                              wire::DeviceNumber device) const;
  bool fill_all();
  bool fill_device(const block::ClusterView& view, const wire::Pool& pool,
                   wire::DeviceNumber device);
  bool fill_run(const block::ClusterView& view, const wire::Pool& pool, wire::DeviceNumber device,
                std::span<const Duty> run);
  Census look(const block::ClusterView& view, const wire::Pool& pool, wire::DeviceNumber device,
              std::span<const Duty> run);
  Status fill(const block::FragmentPlace& place);
  void sweep();
  void clean(device::Device& device);
  std::vector<wire::DeviceNumber> own_devices(const block::ClusterView& view);
  bool stopping();
  void set_trouble(const std::string& words);

  os::Clock& clock_;
  Registry& registry_;
  block::ClusterBlocks& blocks_;
  block::NodeClients& clients_;
  DeviceSet& devices_;
  FragmentService& fragments_;
  const HealerOptions options_;

  bool catch_up_ = true;  // of the thread: compare everything, not only what moves
  int64_t swept_ns_ = 0;  // of the thread

  os::Mutex mutex_;  // a leaf
  os::CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool view_changed_ GUARDED_BY(mutex_) = true;
  bool was_away_ GUARDED_BY(mutex_) = false;
  bool unfinished_ GUARDED_BY(mutex_) = false;
  std::deque<block::FragmentPlace> asked_ GUARDED_BY(mutex_);
  HealStatus status_ GUARDED_BY(mutex_);
  os::Thread thread_;
};

}  // namespace nacre::cluster
