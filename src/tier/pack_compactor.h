// Keeps the bucket of a volume free of what nobody needs: packs of which little is in use are
// written anew, many small ones become a large one, and packs that no row knows, as a crash leaves
// them, are removed. Thread-safe.
//
// Blocks go into the new pack as they lie in the old one, or from the devices where those have
// them. The new pack is read back before any row leads to it; the old one is dead then, and the
// shipper of rows removes it when the bucket's rows no longer lead to it either.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "block/store.h"
#include "bucket/bucket.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/random.h"
#include "os/thread.h"
#include "tier/locations.h"
#include "tier/pack_builder.h"

namespace nacre::tier {

struct CompactOptions {
  uint64_t pack_bytes = 32 * kMiB;
  int64_t first_wait_ns = 20'000'000'000;  // before the first look
  int64_t busy_wait_ns = 500'000'000;      // between two packs
  int64_t idle_wait_ns = 30'000'000'000;   // when there was nothing to do
  int64_t longest_wait_ns = 600'000'000'000;
  int64_t sweep_every_ns = 3'600'000'000'000;  // for packs that no row knows
  bool background = true;                      // false: only when step() is called
};

struct CompactStatus {
  uint64_t packs_written = 0;  // since it was made, as the others
  uint64_t bytes_read = 0;     // of the bucket, to be written anew
  uint64_t bytes_written = 0;
  uint64_t orphans_removed = 0;
  uint64_t damaged_packs = 0;  // not readable where they are needed: they stay
  std::string trouble = {};    // why nothing goes on; empty: nothing is wrong
};

class PackCompactor {
 public:
  struct Parts {
    block::Store& local;
    bucket::Bucket& bucket;
    Locations& locations;
    os::Clock& clock;
    os::Random& random;
    // The number of the last batch of rows.
    std::function<uint64_t()> last_batch;
    // Whether this copy of the volume may still write, and its rows are known to be no older than
    // those of the bucket; asked ahead of each change.
    std::function<Status()> may_write = [] { return Status(); };
    // Whether it is to wait: somebody paused transfers, or needs the uplink more.
    std::function<bool()> must_wait = [] { return false; };
  };
  PackCompactor(const Parts& parts, const PackFormat& format, const CompactOptions& options);
  // Waits for what is under way: stop the bucket first.
  ~PackCompactor();

  // Writes one pack anew, or sweeps. False when there is nothing to do.
  Result<bool> step();
  CompactStatus status();

 private:
  struct Candidate {
    wire::PackId id = {};
    wire::PackRow row = {};
  };
  // What goes into a new pack, and where it was.
  struct Copy {
    PackBuilder builder;
    std::vector<wire::PackLocation> from = {};
    uint64_t bytes_read = 0;
  };

  void run();
  Result<bool> work() REQUIRES(step_mutex_);
  Result<uint64_t> sweep() REQUIRES(step_mutex_);
  Result<std::vector<wire::PackId>> choose() REQUIRES(step_mutex_);
  Result<bool> rewrite(const std::vector<wire::PackId>& packs) REQUIRES(step_mutex_);
  bool is_full(const PackBuilder& builder) const;
  Status copy_pack(wire::PackId pack, Copy& copy) REQUIRES(step_mutex_);
  Status copy_run(wire::PackId pack, std::vector<wire::PackLocation>& run, Copy& copy);
  Status store(Copy copy, wire::PackId id);

  const Parts parts_;
  const PackFormat& format_;
  const CompactOptions options_;

  os::Mutex step_mutex_;  // held across I/O
  std::set<wire::PackId> damaged_ GUARDED_BY(step_mutex_);
  int64_t next_sweep_ns_ GUARDED_BY(step_mutex_) = INT64_MIN;

  os::Mutex mutex_;  // a leaf
  os::CondVar wake_;
  CompactStatus status_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;  // last: it uses the rest
};

}  // namespace nacre::tier
