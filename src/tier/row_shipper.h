// Brings the rows of a volume to its bucket: segments of the row log, and checkpoints, so that the
// volume can be had again from the bucket alone. Thread-safe.
//
// Never further than to the batch up to which all blocks are in the bucket. Where the log has a
// gap, as after a power cut, and when segments have become much more than a checkpoint would be,
// all rows go as a checkpoint; what it replaces is removed after. A pack that is dead as of a batch
// goes when that batch is there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bucket/bucket.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/thread.h"
#include "tier/locations.h"
#include "tier/logged_rows.h"
#include "tier/pack_builder.h"

namespace nacre::tier {

struct ShipOptions {
  uint32_t epoch = 1;
  int64_t interval_ns = 5'000'000'000;  // between two looks whether there is something
  uint64_t object_bytes = 8 * kMiB;     // of a segment, or a part of a checkpoint
  uint64_t least_segments_bytes =
      64 * kMiB;  // since a checkpoint, before another one replaces them
  int64_t longest_pause_ns = 60'000'000'000;  // after failures
  bool background = true;                     // false: only when step() is called
};

struct ShipStatus {
  uint64_t last_batch = 0;      // of the rows
  uint64_t shipped_batch = 0;   // the last one that the bucket has
  Timestamp shipped_time = {};  // of that batch; 0: none is there
  uint64_t segments = 0;        // since it was made, as the others
  uint64_t checkpoints = 0;
  uint64_t bytes = 0;
  uint64_t packs_removed = 0;
  bool compared = false;     // the rows are not older than those that the bucket has
  std::string trouble = {};  // why nothing goes; empty: nothing is wrong
};

class RowShipper {
 public:
  struct Parts {
    LoggedRows& rows;
    Locations& locations;
    bucket::Bucket& bucket;
    os::Clock& clock;
    // Every batch up to this one refers to nothing that is not in the bucket.
    std::function<uint64_t()> settled_batch;
    // What is not in the bucket yet is waited for.
    std::function<void()> hurry = [] {};
  };
  // Asks nothing of the bucket yet. `format` outlives it.
  RowShipper(const Parts& parts, const PackFormat& format, const ShipOptions& options);
  // Waits for what is under way: stop the bucket first.
  ~RowShipper();

  // Ships what may go. True if anything went.
  Result<bool> step();
  // Ships until the bucket has all batches up to this one, which must be settled.
  Status ship_up_to(uint64_t batch);
  ShipStatus status();

 private:
  void run();
  Result<bool> work() REQUIRES(step_mutex_);
  Status look_at_bucket() REQUIRES(step_mutex_);
  Status find_checkpoint() REQUIRES(step_mutex_);
  Status find_segments() REQUIRES(step_mutex_);
  Status ship(uint64_t up_to) REQUIRES(step_mutex_);
  Status ship_segment(uint64_t up_to) REQUIRES(step_mutex_);
  Status ship_checkpoint() REQUIRES(step_mutex_);
  Status put(const std::string& key, const std::string& object);
  Status remove_replaced(uint64_t batch) REQUIRES(step_mutex_);
  Status remove_dead_packs(bool& removed);

  const Parts parts_;
  const PackFormat& format_;
  const ShipOptions options_;

  os::Mutex step_mutex_;  // one ships at a time; held across I/O
  bool looked_ GUARDED_BY(step_mutex_) = false;
  uint64_t checkpoint_batch_ GUARDED_BY(step_mutex_) = 0;
  uint64_t checkpoint_bytes_ GUARDED_BY(step_mutex_) = 0;
  bool has_checkpoint_ GUARDED_BY(step_mutex_) = false;
  uint64_t next_segment_ GUARDED_BY(step_mutex_) = 1;
  uint64_t segment_bytes_ GUARDED_BY(step_mutex_) = 0;  // since the checkpoint

  os::Mutex mutex_;  // a leaf
  os::CondVar wake_;
  ShipStatus status_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;  // last: it uses the rest
};

}  // namespace nacre::tier
