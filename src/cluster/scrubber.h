// Finds what nobody would miss or notice: blocks that lack fragments without anybody having said
// so, fragments of puts whose writer died, and marks of deleted blocks that nobody needs any more.
// Each group is looked after by the node that has its first fragment. Works on a thread of its own,
// after start(); the other methods may be called from any.
//
// A part is garbage when its object's manifest never came. Its writer may still be at it, though:
// so the object's id is fenced before the part goes, which nodes refuse as long as they hear of the
// writer; and one that was only silent fails instead of losing data. Fences stay for good.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "block/objects.h"
#include "cluster/census.h"
#include "cluster/device_set.h"
#include "cluster/fragment_service.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::cluster {

struct ScrubberOptions {
  // How long what looks like garbage is left alone, and between passes, which take at most a tenth
  // of the time: 60 minutes.
  int64_t grace_ns = 3'600'000'000'000;
};

struct ScrubStatus {
  uint64_t passes = 0;           // since it started; as the others
  uint64_t blocks = 0;           // looked at
  uint64_t incomplete = 0;       // lacked fragments, and were given to healing
  uint64_t garbage_removed = 0;  // blocks
  uint64_t marks_forgotten = 0;
  std::string trouble = {};  // why the last pass left something undone
};

class Scrubber {
 public:
  struct Parts {  // all outlive it
    os::Clock& clock;
    block::ViewSource& views;
    block::ClusterBlocks& blocks;
    block::NodeClients& clients;
    DeviceSet& devices;
    FragmentService& fragments;
  };

  explicit Scrubber(Parts parts, ScrubberOptions options = {});
  ~Scrubber() { stop(); }

  void start();
  void stop();
  ScrubStatus status();
  // One look at all groups whose first fragment is on this node; where the thread does not run.
  void pass();

 private:
  // What an object's manifest names; null if there is none and never will be.
  using PartSet = std::shared_ptr<const std::set<BlockId>>;
  // Of a run of groups.
  struct Run {
    const block::ClusterView& view;
    const wire::Pool& pool;
    Census census;
  };

  void run();
  void scrub_pool(const block::ClusterView& view, const wire::Pool& pool);
  void scrub(const Run& run);
  void scrub_block(const Run& run, BlockId id, uint32_t has, bool whole);
  void complete(const Run& run, BlockId id, uint32_t missing);
  void scrub_part(BlockId id, const wire::FragmentNote& note);
  void forget(BlockId id, block::Removal mark_or_fence);
  Result<PartSet> parts_of(BlockId object);
  bool is_up_to_date();
  void remove(BlockId id);
  bool suspected_before(BlockId id);
  bool is_own(const block::ClusterView& view, wire::DeviceNumber device);
  bool stopping();
  template <class Change>
  void count(Change change) {
    const os::Lock lock(mutex_);
    change(status_);
  }
  void set_trouble(const Error& error);

  const Parts parts_;
  const ScrubberOptions options_;
  block::Objects objects_;

  // Of whoever runs pass().
  Timestamp settled_ = {};         // parts older than this were found to belong to their objects
  uint64_t epoch_ = 0;             // of the map then
  bool is_thorough_ = true;        // nothing was left for later
  std::vector<BlockId> suspects_;  // of the last pass, in order
  std::vector<BlockId> new_suspects_;  // of this one
  std::map<BlockId, PartSet> objects_known_;
  std::string trouble_;

  os::Mutex mutex_;  // a leaf
  os::CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  ScrubStatus status_ GUARDED_BY(mutex_);
  os::Thread thread_;
};

}  // namespace nacre::cluster
