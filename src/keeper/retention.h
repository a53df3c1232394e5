// What history a volume keeps: its policy, the snapshots that pin, and the clock that ages it.
// prune.h does the dropping; pressure.h says when.
//
// Every function may be called from any thread, without locks.
#pragma once

#include <string_view>

#include "base/ids.h"
#include "fs/volume.h"
#include "os/mutex.h"
#include "wire/rows.h"

namespace nacre::keeper {

struct Policy {
  uint64_t keep_ns = 0;                 // younger history stays while there is any room
  uint64_t history_budget_percent = 0;  // of capacity, for history and garbage
};
Policy policy_of(const wire::StateRow& state);
// Durable on return. kInvalid: a budget above 100 %.
Status set_policy(fs::Volume& volume, const Policy& policy);

// The floor that keeps what the policy asks for and nothing older: the last commit at or before
// `now` - keep. The present floor where nothing is that old.
Result<Sequence> keep_limit(fs::Volume& volume, Timestamp now);

// Deletes the snapshot; history that it alone pinned goes with the next pruning. Durable on return.
// kNotFound: there is no such snapshot.
Status delete_snapshot(fs::Volume& volume, std::string_view name);

// Notices when the wall clock leaps forward: history would seem older than it is. A leap sets
// `clock_suspect` in the state row, and pruning by age waits until somebody confirms the time.
class ClockWatch {
 public:
  // Takes the clock as it is now, unless it is too far past the volume's last commit.
  explicit ClockWatch(fs::Volume& volume);
  // Looks again. True while the time is in doubt.
  bool suspect() EXCLUDES(mutex_);
  // The time is right after all. Durable on return.
  Status confirm() EXCLUDES(mutex_);

 private:
  void doubt();

  fs::Volume& volume_;
  os::Mutex mutex_;  // a leaf
  Timestamp wall_ GUARDED_BY(mutex_);
  int64_t monotonic_ns_ GUARDED_BY(mutex_) = 0;
};

// While a volume is open, wall time and monotonic time pass together: whether they parted by more
// than a day.
bool leapt_while_open(Timestamp wall_before, int64_t monotonic_before_ns, Timestamp wall,
                      int64_t monotonic_ns);
// While it is closed nobody counts, and a long pause is no leap. What a wrong clock may make older
// stays below half of what is to be kept, or a day.
bool leapt_while_closed(Timestamp last_commit, Timestamp wall, uint64_t keep_ns);

}  // namespace nacre::keeper
