// The keeper of a volume open for writing: one background thread that moves inline bytes into
// blocks, prunes history when room is needed, compacts sparse blocks and lets the block store clean
// itself; and the same duties on demand.
//
// Every method may be called from any thread, without locks. One duty works at a time, in bounded
// steps. It is made before the volume is served and destroyed after: it is what gives history up
// when a writer finds the volume full. It outlives neither the volume nor its stores.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "fs/volume.h"
#include "keeper/check.h"
#include "keeper/compaction.h"
#include "keeper/forget.h"
#include "keeper/inline.h"
#include "keeper/pressure.h"
#include "keeper/prune.h"
#include "keeper/retention.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::keeper {

struct KeeperOptions {
  int64_t tick_ns = 1'000'000'000;
  uint64_t compaction_bytes_per_tick = 8 * kMiB;  // written; eight times that under pressure
  int64_t compaction_pass_ns = int64_t{6} * 3600 * 1'000'000'000;  // between looks at all blocks
  uint64_t dead_percent = 25;        // of the bytes a block store uses, from which it is cleaned
  uint64_t clean_bytes = 64 * kMiB;  // at once
};

// Since the keeper was made, unless the name says otherwise.
struct KeeperStatus {
  Sequence floor;              // where history begins now
  bool clock_suspect = false;  // pruning by age waits for confirm_clock()
  Pressure pressure;           // when last looked
  uint64_t rows_pruned = 0;
  uint64_t inline_bytes_moved = 0;
  uint64_t blocks_compacted = 0;
  uint64_t compaction_bytes_written = 0;
  uint64_t compaction_bytes_freed = 0;
  uint64_t bytes_cleaned = 0;
  uint64_t blocks_damaged = 0;  // met by compaction
  std::string last_error;       // of the last round; empty: all went well
};

class Keeper {
 public:
  explicit Keeper(fs::Volume& volume, const KeeperOptions& options = {});
  ~Keeper();
  void start();
  // Waits for the step at work.
  void stop();
  // One round of all duties, as the thread does every tick. The first failure is returned when all
  // had their turn.
  Status tick();
  KeeperStatus status();

  // Gives up history, oldest first: what is older than keep, then younger. Returns bytes gained.
  uint64_t reclaim(uint64_t wanted_bytes);

  // Prunes to a floor whatever the policy says, or to what the policy keeps. `go_on` is asked
  // between steps. kBusy for the latter while the clock is in doubt.
  Result<PruneTotals> prune(Sequence floor,
                            const std::function<bool(const PruneTotals&)>& go_on = {});
  Result<PruneTotals> prune_to_policy(const std::function<bool(const PruneTotals&)>& go_on = {});
  // Looks at every block now.
  Result<CompactionTotals> compact(const std::function<bool(const CompactionTotals&)>& go_on = {});
  Result<Forgotten> forget(InodeId ino, const ForgetOptions& options,
                           const std::function<bool(const Forgotten&)>& go_on = {});
  // The keeper goes on meanwhile; `options.exclusively` is its own.
  Result<CheckSummary> check(CheckOptions options, const CheckProgress& progress,
                             const CheckReport& report);
  Status confirm_clock() { return clock_watch_.confirm(); }

 private:
  void loop();
  Status move_inline(bool now_due) REQUIRES(duty_mutex_);
  Status move_due_inline() REQUIRES(duty_mutex_) { return move_inline(false); }
  Status prune_leftovers() REQUIRES(duty_mutex_);
  Status relieve() REQUIRES(duty_mutex_);
  Status compact_some() REQUIRES(duty_mutex_);
  Status clean_some() REQUIRES(duty_mutex_);
  Status give_up_history(Sequence limit, const std::function<bool()>& enough) REQUIRES(duty_mutex_);
  Status give_up_all(const std::function<bool()>& enough) REQUIRES(duty_mutex_);
  Result<PruneStep> prune_step(Sequence floor) REQUIRES(duty_mutex_);
  Result<CompactionTotals> compact_step() REQUIRES(duty_mutex_);
  void count(const CompactionTotals& step);
  Status settle_rows() REQUIRES(duty_mutex_);
  // The floor that pruning by age may reach.
  Result<Sequence> age_limit();

  fs::Volume& volume_;
  const KeeperOptions options_;
  ClockWatch clock_watch_;

  // One duty at a time; held across I/O: that is its purpose. Comes before the volume's locks.
  os::Mutex duty_mutex_;
  Pruner pruner_ GUARDED_BY(duty_mutex_);
  Compactor compactor_ GUARDED_BY(duty_mutex_);
  InlineMover inline_mover_ GUARDED_BY(duty_mutex_);
  int64_t next_pass_ns_ GUARDED_BY(duty_mutex_) = 0;
  uint64_t rows_dropped_ GUARDED_BY(duty_mutex_) = 0;  // since the row store was compacted

  os::Mutex status_mutex_;  // a leaf
  KeeperStatus status_ GUARDED_BY(status_mutex_);

  std::atomic<bool> stopping_{false};
  os::Mutex wake_mutex_;  // a leaf
  os::CondVar wake_;
  os::Thread thread_;
};

}  // namespace nacre::keeper
