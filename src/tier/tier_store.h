// A block store whose blocks live in a bucket, and are on the devices as long as there is room: a
// decorator that knows nothing of files, nor of S3. Thread-safe.
//
// A block is put on the devices alone, and durable there as of sync(); a Uploader brings it to the
// bucket. From then on it may be evicted, and what is read of it then is fetched. Room on the
// devices is what the store below gives: where blocks do not fit, clean ones leave; where none is
// left to leave, put() waits for uploads, which slows writers down to the speed of the uplink.
//
// While the bucket is away everything on the devices works. Reads of what is not there end with the
// bucket's error, or wait, as options say; so do puts for which there is no room, with kNoSpace.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

#include "block/part_store.h"
#include "block/store.h"
#include "tier/fetcher.h"
#include "tier/locations.h"
#include "tier/residence.h"
#include "tier/uploader.h"

namespace nacre::tier {

struct TierOptions {
  UploadOptions upload = {};
  PackFormat format = {};
  bool wait_while_away = false;
  bool sync_remote = false;       // sync() waits for the bucket, too
  unsigned prefetch_threads = 4;  // 0: prefetch() does nothing
  uint64_t free_percent = 6;      // of the devices, kept free ahead of puts
  bool read_only = false;         // nothing is put, removed, kept or uploaded
  bool background = true;         // false: nothing happens but in calls, for simulation
};

struct TierStatus {
  ResidenceTotals local = {};
  BucketTotals bucket = {};
  UploadStatus upload = {};
  FetchCounters fetch = {};
  uint64_t blocks_evicted = 0;
  uint64_t bytes_evicted = 0;
  uint64_t puts_delayed = 0;
};

// Which blocks are to stay on the devices, as of one moment.
class Staying {
 public:
  virtual ~Staying() = default;
  virtual const std::unordered_set<BlockId>& blocks() const = 0;
  // Whether it was known then what the block belongs to. If not, it may be one of them.
  virtual bool knows(BlockId id) const = 0;
};
using StayingPtr = std::shared_ptr<const Staying>;

class TierStore final : public block::Store {
 public:
  struct Parts {
    block::Store& local;
    block::PartStore& parts;  // of the same devices
    bucket::Bucket& bucket;
    kv::Store& rows;
    os::Clock& clock;
    os::Random& random;
    // The number of the last batch of rows: any put from now on belongs to a later one.
    std::function<uint64_t()> last_batch;
    // Whether this copy of the volume may still write to the bucket.
    std::function<Status()> may_write = [] { return Status(); };
    // Tells the devices what they may take of the host; called before room on them is looked at.
    std::function<void()> set_limit = [] {};
    // Tells which blocks are not to be evicted, or null for any may be: asked before some are, and
    // now and then to fetch those that are not here. May take time. They leave all the same when a
    // put finds no room and nothing else is left that could leave.
    std::function<StayingPtr()> staying = [] { return nullptr; };
  };
  // Finds out what is where. All in `parts` outlives it.
  static Result<std::unique_ptr<TierStore>> open(const Parts& parts, const TierOptions& options);
  // Ends what is under way: stop the bucket first. What is dirty stays so.
  ~TierStore() override;

  Status put(BlockId id, std::span<const ByteView> parts) override;
  Status sync() override;
  Status read(BlockId id, uint64_t offset, MutableBytes into) override;
  void prefetch(BlockId id, uint64_t offset, uint64_t length) override;
  Status remove(BlockId id) override;
  Result<block::BlockInfo> info(BlockId id) override;
  Status list(const std::function<bool(BlockId, const block::BlockInfo&)>& visit) override;
  // All that is stored, wherever; room is what the bucket has, which is as good as no bound, unless
  // the bucket is away and nobody is to wait for it.
  block::Space space() override;
  // Nothing: room on the devices is made when it is needed.
  Result<uint64_t> clean(uint64_t /*bytes*/) override { return uint64_t{0}; }

  // The options of that name, from now on. What waits already may go on waiting.
  void set_wait_while_away(bool wait) { wait_while_away_ = wait; }
  void set_sync_remote(bool sync) { sync_remote_ = sync; }
  // Lets clean blocks leave until `bytes` are free on the devices. False if none is left to leave.
  bool make_room(uint64_t bytes);
  // Lets this block leave; kBusy while it is dirty. False if nothing of it was there.
  Result<bool> evict(BlockId id);
  // Whether the devices have all of it.
  Result<bool> is_here(BlockId id);
  // Brings the range to the devices, if the block is not there.
  Status fetch(BlockId id, uint64_t offset, uint64_t length);
  // Stands for what was put before now; and whether all of that is in the bucket, or removed.
  uint64_t mark() { return residence_.mark(); }
  bool is_uploaded_before(uint64_t mark) { return residence_.is_uploaded_before(mark); }
  // As of Residence.
  std::vector<wire::BlockHeat> heat() { return residence_.heat(); }
  void recall(const std::vector<wire::BlockHeat>& heat) { residence_.recall(heat); }
  Uploader& uploader() { return *uploader_; }
  Locations& locations() { return locations_; }
  // Every batch up to this one refers to nothing that is not in the bucket.
  uint64_t settled_batch() { return residence_.settled_batch(parts_.last_batch()); }
  TierStatus status();

 private:
  struct Range {
    BlockId id;
    uint64_t offset = 0;
    uint64_t length = 0;
  };

  TierStore(const Parts& parts, const TierOptions& options);
  Status find_residents();
  Status read_elsewhere(BlockId id, uint64_t offset, MutableBytes into);
  template <class Body>
  Status from_bucket(BlockId id, const Body& body);
  template <class Body>
  Status while_away(const Body& body);
  Status drop_local(BlockId id, uint64_t logical_bytes);
  bool gain_room(uint64_t bytes, bool even_staying);
  enum class Spare { kStayingAndUnknown, kStaying, kNothing };
  bool evict_some(uint64_t bytes, const Staying* staying, Spare spare);
  Status wait_for_room(uint64_t bytes);
  bool is_short_of_room();
  void fetch_staying();
  void run_eviction();
  void run_prefetches();

  const Parts parts_;
  const TierOptions options_;
  std::atomic<bool> wait_while_away_;
  std::atomic<bool> sync_remote_;
  Residence residence_;
  Locations locations_;
  std::atomic<uint64_t> blocks_evicted_ = 0;
  std::atomic<uint64_t> bytes_evicted_ = 0;
  std::atomic<uint64_t> puts_delayed_ = 0;
  std::atomic<bool> stopping_ = false;

  os::Mutex room_mutex_;  // one makes room at a time; held across I/O of the devices
  os::Mutex mutex_;       // a leaf
  os::CondVar changed_;
  std::deque<Range> prefetches_ GUARDED_BY(mutex_);
  bool room_wanted_ GUARDED_BY(mutex_) = false;

  std::unique_ptr<Fetcher> fetcher_;
  std::unique_ptr<Uploader> uploader_;
  std::vector<os::Thread> threads_;  // last: they use the rest
};

}  // namespace nacre::tier
