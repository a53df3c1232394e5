// Packs dirty blocks, the oldest first, and brings the packs to the bucket. Thread-safe.
//
// A pack goes when it would be full, when its oldest block has waited long enough, when somebody
// asks for a flush, or when room is short. What fails is tried again, later and later; the blocks
// stay dirty meanwhile and lose nothing. A block whose bytes are damaged on the devices is set
// aside and counted: it can neither be uploaded nor hold up the others.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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
#include "tier/residence.h"

namespace nacre::tier {

struct UploadOptions {
  uint64_t pack_bytes = 32 * kMiB;
  int64_t wait_ns = 10'000'000'000;        // that a block waits at most for others to fill its pack
  unsigned threads = 2;                    // packs under way; 0: only when step() is called
  int64_t first_pause_ns = 1'000'000'000;  // after a failure; then twice as long each time
  int64_t longest_pause_ns = 30'000'000'000;
};

struct UploadStatus {
  uint64_t packs = 0;  // since it was made, as the others
  uint64_t blocks = 0;
  uint64_t bytes = 0;  // of packs
  uint64_t failures = 0;
  uint64_t damaged_blocks = 0;
  uint64_t bytes_per_second = 0;  // lately; 0 while nothing goes
  bool paused = false;
  bool hurried = false;      // room is short
  std::string trouble = {};  // why nothing goes; empty: nothing is wrong
  Code trouble_code = Code::kUnavailable;
};

class Uploader {
 public:
  struct Parts {
    block::Store& local;
    bucket::Bucket& bucket;
    Residence& residence;
    Locations& locations;
    os::Clock& clock;
    os::Random& random;
    // Whether this copy of the volume may still write; asked ahead of each pack.
    std::function<Status()> may_write = [] { return Status(); };
  };
  Uploader(const Parts& parts, const PackFormat& format, const UploadOptions& options);
  // Waits for uploads under way: stop the bucket first.
  ~Uploader();

  // Something is dirty that was not.
  void wake();
  // Everything dirty now goes without waiting for more.
  void flush();
  // Room is short: packs go as they are, as long as that lasts.
  void hurry(bool hurry);
  void pause();
  void resume();
  // Uploads one pack if one is due; true if it did.
  Result<bool> step();
  // Waits until a pack is there, or an attempt failed, or `limit_ns` has passed.
  void wait_for_progress(int64_t limit_ns);
  // The block is needed no more, wherever it is; see Locations. What is under way finds it gone.
  Status forget(BlockId id, uint64_t batch);
  UploadStatus status();

 private:
  void run();
  bool is_due() REQUIRES(mutex_);
  Status upload(const std::vector<DirtyBlock>& blocks);
  Status finish(StoredPack pack, const std::vector<DirtyBlock>& blocks);
  void note_success(const StoredPack& pack);
  void note_failure(const Error& error);

  const Parts parts_;
  const PackFormat& format_;
  const UploadOptions options_;
  os::Mutex finishing_;  // before those of residence and locations; held while rows are written

  os::Mutex mutex_;  // a leaf but for the residence
  os::CondVar wake_;
  os::CondVar progress_;
  UploadStatus status_ GUARDED_BY(mutex_);
  int64_t flush_until_ns_ GUARDED_BY(mutex_) = INT64_MIN;  // blocks put until then are to go
  bool stopping_ GUARDED_BY(mutex_) = false;
  int64_t pause_ns_ GUARDED_BY(mutex_) = 0;
  int64_t not_before_ns_ GUARDED_BY(mutex_) = INT64_MIN;
  int64_t rate_since_ns_ GUARDED_BY(mutex_) = 0;
  uint64_t rate_bytes_ GUARDED_BY(mutex_) = 0;
  std::vector<os::Thread> threads_;  // last: they use the rest
};

}  // namespace nacre::tier
