// Which blocks are on the devices, whole or in parts; which of them are nowhere else, and which go
// first when room is needed. Knows no I/O: whoever moves bytes says what became of them.
// Thread-safe.
//
// A block is *dirty* from its put until the bucket has it, and *uploading* while that is tried;
// these never leave. The others are *clean*. Of them those leave first that were not read again
// after they came, as in S3-FIFO (Yang and others, SOSP '23): what comes enters a small queue, in
// the order of its coming, and only what was read meanwhile passes on to the main one. Blocks that
// came together lie together on the devices, so leaving together they free whole segments.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/ids.h"
#include "os/mutex.h"
#include "wire/heat_layout.h"

namespace nacre::tier {

struct DirtyBlock {
  BlockId id = {};
  uint64_t bytes = 0;    // on the devices
  int64_t since_ns = 0;  // monotonic time of its put
  uint64_t batch = 0;    // the last batch of rows before its put: none up to it refers to the block
};

struct CleanBlock {
  BlockId id = {};
  uint64_t bytes = 0;  // on the devices
};

struct ResidenceTotals {
  uint64_t dirty_blocks = 0;  // those uploading included
  uint64_t dirty_bytes = 0;
  uint64_t clean_blocks = 0;  // whole or in parts
  uint64_t clean_bytes = 0;
  std::optional<DirtyBlock> oldest = {};          // of the dirty ones
  std::optional<DirtyBlock> oldest_waiting = {};  // of those not uploading
  uint64_t waiting_bytes = 0;                     // of those
};

class Residence {
 public:
  void add_dirty(const DirtyBlock& block);
  // On the devices and in the bucket; `bytes` more of it if it is known already.
  void add_clean(BlockId id, uint64_t bytes);
  // Nothing of it is left on the devices, or nothing that may go or be uploaded. True if it was
  // uploading: whoever uploads finds it gone.
  bool forget(BlockId id);
  // Somebody read it.
  void touch(BlockId id);

  // Stands for what became dirty before now.
  uint64_t mark();
  // Nothing of that is dirty any more, whatever became so later.
  bool is_uploaded_before(uint64_t mark);

  // The oldest dirty blocks, at least one and up to `bytes` together, now uploading. None if there
  // is none.
  std::vector<DirtyBlock> take_dirty(uint64_t bytes);
  bool contains(BlockId id);
  // That it takes of the devices; 0 for one that is not there.
  uint64_t bytes_of(BlockId id);
  bool is_uploading(BlockId id);
  // The bucket has it: clean, unless it was forgotten meanwhile (false).
  bool uploaded(BlockId id);
  // It could not be uploaded: dirty again, of the same age.
  void put_back(BlockId id);

  // The clean block to leave next; it is forgotten. Those that `stays` holds are passed over. None
  // if no other is left.
  std::optional<CleanBlock> next_victim(const std::function<bool(BlockId)>& stays);

  // Those read again after they came, the next to leave first; and the same of another run, when
  // what is there was added: it is thought no less of than then. Others are passed over.
  std::vector<wire::BlockHeat> heat();
  void recall(const std::vector<wire::BlockHeat>& heat);

  // Every batch up to this one refers to blocks only that the bucket has; `newest` if all are
  // there.
  uint64_t settled_batch(uint64_t newest);
  ResidenceTotals totals();

 private:
  enum class State : uint8_t { kDirty, kUploading, kClean };
  using Queue = std::list<BlockId>;  // the next to leave is at the front
  struct Entry {
    State state = State::kClean;
    uint64_t bytes = 0;
    uint8_t uses = 0;  // since it came, at most 3
    bool in_main = false;
    uint64_t age = 0;            // of a dirty one: its key in dirty_
    Queue::iterator place = {};  // of a clean one
  };
  using Entries = std::unordered_map<BlockId, Entry>;

  void end_dirty(const Entry& entry) REQUIRES(mutex_);
  void enqueue(BlockId id, Entry& entry, bool main) REQUIRES(mutex_);
  void dequeue(Entry& entry) REQUIRES(mutex_);
  void remember_ghost(BlockId id) REQUIRES(mutex_);

  os::Mutex mutex_;  // a leaf
  Entries entries_ GUARDED_BY(mutex_);
  std::map<uint64_t, DirtyBlock> dirty_ GUARDED_BY(mutex_);  // by age, the oldest first
  uint64_t next_age_ GUARDED_BY(mutex_) = 0;
  uint64_t dirty_bytes_ GUARDED_BY(mutex_) = 0;
  uint64_t waiting_bytes_ GUARDED_BY(mutex_) = 0;
  std::set<uint64_t> waiting_ GUARDED_BY(mutex_);  // keys of dirty_ that are not uploading
  Queue small_ GUARDED_BY(mutex_);
  Queue main_ GUARDED_BY(mutex_);
  uint64_t small_bytes_ GUARDED_BY(mutex_) = 0;
  uint64_t main_bytes_ GUARDED_BY(mutex_) = 0;
  // What left without having been read: if it comes again, it goes to the main queue.
  std::list<BlockId> ghosts_ GUARDED_BY(mutex_);
  std::unordered_set<BlockId> ghost_ids_ GUARDED_BY(mutex_);
};

}  // namespace nacre::tier
