// An open volume: the namespace, the dirty content above the block store, and the commits that make
// both durable together.
//
// A commit is a consistent cut of the whole volume: everything done before it, nothing done after.
// The cut closes the row group and every file's delta at one instant; then dirty buffers become
// blocks (or, when they are few, inline extents), the blocks are synced, and one synced batch of
// rows makes the commit real. So committed rows only ever point at durable data, and after a crash
// the volume is as it was at some cut.
//
// Every method may be called from any thread. Lock order: commit_mutex_, flush_mutex_, lock_, then
// leaves.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "block/store.h"
#include "codec/seal.h"
#include "fs/delta.h"
#include "fs/memory_budget.h"
#include "fs/promises.h"
#include "fs/references.h"
#include "fs/tree.h"
#include "kv/store.h"
#include "meta/commit_builder.h"
#include "meta/namespace.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/random.h"
#include "os/thread.h"
#include "wire/fingerprint_rows.h"

namespace nacre::fs {

struct VolumeSettings {
  meta::NameKey name_key = {};
  uint64_t block_size = 4 * kMiB;           // a power of two
  uint64_t capacity_bytes = UINT64_MAX;     // blocks and rows together
  uint64_t dirty_limit_bytes = 96 * kMiB;   // buffers in memory
  uint64_t inline_limit_bytes = 64 * kKiB;  // dirty content up to this travels in the commit
  // Identical content is stored once: it is looked for in runs of so many bytes of a file, which
  // begin at multiples of that. At most block_size. 0: it is not looked for.
  uint64_t run_bytes = 0;
  int64_t commit_interval_ns = 2'000'000'000;
  bool read_only = false;
  bool background = true;  // false: commits only when asked, for simulation
  uint32_t root_uid = 0;   // owner of a new volume's root
  uint32_t root_gid = 0;
};

// One instant's figures. Bytes unless the name says otherwise.
struct VolumeUsage {
  uint64_t capacity = 0;
  uint64_t used = 0;         // blocks and rows on disk
  uint64_t live = 0;         // blocks that the present needs
  uint64_t reclaimable = 0;  // history and garbage in blocks
  uint64_t available = 0;    // for new data, history given up included
  uint64_t slack = 0;        // beyond that, for changes that must find room on a full volume
  uint64_t rows = 0;         // files of the row store
  uint64_t dirty = 0;        // in memory, not yet committed
  uint64_t inodes = 0;
  // Where identical content is stored once: of blocks, by all extents, shared bytes each time.
  std::optional<uint64_t> referenced;
};

class Volume {
 public:
  struct Parts {
    kv::Store& rows;
    block::Store& blocks;
    os::Clock& clock;
    os::Random& random;
  };
  // Opens what the stores hold; an empty row store becomes a new volume with an empty root. Removes
  // what a crash left unowned: orphans and blocks without rows.
  static Result<std::unique_ptr<Volume>> open(const Parts& parts, const VolumeSettings& settings);
  // Stops the background threads. Does not commit: close() first where the last changes matter.
  ~Volume();
  // Commits everything and stops. The volume refuses changes afterwards.
  Status close();

  // --- the namespace ---------------------------------------------------------------------------
  // Runs `body(const meta::Namespace&)` under the shared lock. Rows may be read from disk under it.
  template <class Body>
  auto look(Body&& body) const {
    const os::SharedLock lock(lock_);
    return body(static_cast<const meta::Namespace&>(namespace_));
  }
  // Runs `body(meta::Namespace&)` under the exclusive lock. Rows may be read from disk under it:
  // the kernel looked them up just before, so they are almost always in memory.
  template <class Body>
  auto change(Body&& body) {
    const os::ExclusiveLock lock(lock_);
    return body(namespace_);
  }
  // Before a change of the namespace: waits while too much is pending, and refuses with kNoSpace
  // when there is no room for more rows; for one that adds nothing new, later. Called without
  // locks.
  enum class Growth { kNew, kNothingNew };
  Status admit_change(Growth growth);

  Result<meta::Attr> get_attr(InodeId ino) const;
  References& references() { return references_; }
  // An inode lost its last name: it goes when nobody refers to it.
  Status unlinked(const meta::Unlinked& gone) REQUIRES(lock_);
  // The kernel's last reference went.
  Status released(InodeId ino);

  // --- content ---------------------------------------------------------------------------------
  Result<size_t> read(InodeId ino, uint64_t offset, MutableBytes into);
  Status write(InodeId ino, uint64_t offset, ByteView data, const WriteOptions& options);
  // See Tree.
  bool is_scarce() const { return scarce_.load(std::memory_order_relaxed); }
  Status admit_write(InodeId ino, uint64_t bytes);
  std::vector<InodeId> age_promises();
  void drop_aged_promises();
  Result<meta::Attr> set_attributes(InodeId ino, const meta::SetAttr& change);
  Status allocate(InodeId ino, uint64_t offset, uint64_t length, AllocateMode mode, TimesBy times);
  Result<uint64_t> seek(InodeId ino, uint64_t offset, SeekKind kind);
  Result<uint64_t> copy_range(InodeId from, uint64_t from_offset, InodeId to, uint64_t to_offset,
                              uint64_t length, TimesBy times);
  // As copy_range(), from a file as it was: `size` is its size then.
  Result<uint64_t> copy_past_range(Sequence at, InodeId from, uint64_t size, uint64_t from_offset,
                                   InodeId to, uint64_t to_offset, uint64_t length, TimesBy times);
  // Lays the content that `from` had as of `at` over `to`, without moving data, and gives it that
  // size.
  Status restore_content(InodeId from, Sequence at, InodeId to);
  // Reads a file as it was: `size` is its size then.
  Result<size_t> read_past(Sequence at, InodeId ino, uint64_t size, uint64_t offset,
                           MutableBytes into);

  // --- durability ------------------------------------------------------------------------------
  // Everything done so far survives a power cut on return.
  Status commit();
  // The same for one inode: returns at once where nothing of it is dirty.
  Status sync(InodeId ino);
  // The last commit, and its time.
  Sequence committed() const;
  Timestamp committed_time() const;
  // The last commit that carried content in its rows; of those before the volume was opened, the
  // last.
  Sequence last_inline() const { return Sequence{last_inline_}; }
  // The clock's time, but never before the last commit's: commits of one tick follow each other.
  Timestamp now();

  // --- upkeep (keeper) ---------------------------------------------------------------------------
  // Runs `build`, which fills a builder with changes nobody can see, and applies it between two
  // commits. Refused kBusy when a block it would doom was shared meanwhile. New blocks are put by
  // `build` itself, which names them to the builder. `settle` changes the state row with it: it is
  // called for the stored row and for the one in memory.
  Status upkeep(const std::function<Status(meta::CommitBuilder&)>& build,
                const std::function<void(wire::StateRow&)>& settle = {});
  // Changes the state row under the lock; durable with the next commit.
  void change_state(const std::function<void(wire::StateRow&)>& body);
  wire::StateRow state() const;
  // Puts rows of the volume family into the next commit.
  void put_volume_row(std::string key, std::optional<std::string> value);

  VolumeUsage usage();
  kv::Store& rows() { return rows_store_; }
  block::Store& blocks() { return blocks_; }
  os::Clock& clock() { return clock_; }
  os::Random& random() { return random_; }
  const VolumeSettings& settings() const { return settings_; }
  // Opened for reading, or closed: every change is refused.
  bool is_read_only() const { return settings_.read_only || closing_; }
  // Whether a run at that offset of a file is looked for, where identical content is stored once.
  bool is_run(uint64_t offset, uint64_t length) const;
  // Of the concatenation of the parts: under the volume's secret.
  codec::Fingerprint fingerprint(std::span<const ByteView> parts) const;
  // Called without locks when space runs out, to give history up. Returns bytes gained.
  void set_reclaimer(std::function<uint64_t(uint64_t wanted_bytes)> reclaim);

 private:
  struct FileContent {
    Delta active;
    Delta closed;
    bool listed = false;  // in dirty_files_
  };
  enum class Found : uint8_t { kNowhere, kInThisCut, kInOlderBlock };
  // Bytes to go into one block.
  struct Stored {
    InodeId ino;
    uint64_t offset = 0;
    Piece piece;
    BlockId block;
    uint64_t block_offset = 0;
    uint64_t together = 0;  // from here on, all in one block: this piece, and the rest of its run
    Found found = Found::kNowhere;  // else it is there already
  };
  // Some pieces that follow each other, to be looked for as a whole.
  struct Run {
    size_t first = 0;
    size_t end = 0;  // behind the last
    wire::ContentPlace place;
    codec::Fingerprint fingerprint;
  };
  using ContentPlaces = std::unordered_map<codec::Fingerprint, wire::ContentPlace>;
  // What was put, to be committed with the rows that refer to it.
  struct NewBlocks {
    std::vector<std::pair<BlockId, uint64_t>> blocks;  // with their sizes
    ContentPlaces content;
  };
  // What a cut took, until its commit is done. Kept for another try when it fails.
  struct ClosedCut {
    std::shared_ptr<const meta::Group> group;
    std::vector<InodeId> files;                        // with content in their closed delta
    std::vector<InodeId> drops;                        // inodes whose extents go
    std::vector<InodeId> drops_left;                   // of them, those for the next commit
    std::vector<std::pair<BlockId, uint64_t>> blocks;  // stored for it, with their sizes
    std::unordered_set<BlockId> shared;                // of committed rows, in its deltas
    wire::StateRow state;
  };

  Volume(const Parts& parts, const VolumeSettings& settings, wire::StateRow state);

  Status load(bool fresh);
  Status drop(InodeId ino) REQUIRES(lock_);
  Status sweep_orphans();
  Status sweep_blocks();

  // content.cc
  bool visit_layers(InodeId ino, uint64_t begin, uint64_t end, const Delta::PieceVisitor& visit,
                    Status& failure) const REQUIRES_SHARED(lock_);
  bool visit_stored(meta::ExtentReader& extents, uint64_t begin, uint64_t end,
                    const Delta::PieceVisitor& visit, Status& failure) const;
  Result<std::vector<std::pair<uint64_t, Piece>>> gather(InodeId ino, uint64_t begin,
                                                         uint64_t end) const REQUIRES_SHARED(lock_);
  Result<std::vector<std::pair<uint64_t, Piece>>> gather_ahead(InodeId ino, uint64_t offset,
                                                               uint64_t length, uint64_t size) const
      REQUIRES_SHARED(lock_);
  Status fill(uint64_t offset, MutableBytes into,
              const std::vector<std::pair<uint64_t, Piece>>& pieces);
  uint64_t pending_allocation(InodeId ino, uint64_t stored) const REQUIRES_SHARED(lock_);
  Delta& active_delta(InodeId ino) REQUIRES(lock_);
  Result<std::vector<std::pair<uint64_t, Piece>>> gather_past(Sequence at, InodeId ino,
                                                              uint64_t begin, uint64_t end) const;
  Result<uint64_t> share(InodeId to, uint64_t to_offset, uint64_t from_offset, uint64_t length,
                         std::vector<std::pair<uint64_t, Piece>> pieces, TimesBy times)
      REQUIRES(lock_);
  void put_pieces(InodeId ino, uint64_t offset, std::vector<std::pair<uint64_t, Piece>> pieces,
                  uint64_t from_offset) REQUIRES(lock_);
  Status wait_for_memory();
  // space.cc
  Status reserve(uint64_t bytes);
  Status reserve_with_slack(uint64_t bytes);
  Status reserve_promised(InodeId ino, uint64_t bytes);
  bool try_reserve(uint64_t bytes);
  bool try_reserve_from_slack(uint64_t bytes);
  bool try_promise(InodeId ino, uint64_t bytes);
  Status find_room(uint64_t bytes, const std::function<bool()>& fits);
  void refresh_space();

  // dedup.cc
  enum class Layer : uint8_t { kActive, kClosed };
  Status store(Layer layer, std::vector<Stored>& pieces, NewBlocks& fresh);
  std::vector<Run> runs_of(std::vector<Stored>& pieces) const;
  Found find_recent(Layer layer, Run& run) const;
  void close_content(const std::vector<InodeId>& files) REQUIRES(lock_);
  Result<bool> is_in_use(BlockId block, std::unordered_map<BlockId, bool>& known) const
      REQUIRES(lock_);

  // commit.cc
  Status commit_locked() REQUIRES(commit_mutex_);
  Status finish_closed() REQUIRES(commit_mutex_);
  bool cut() REQUIRES(commit_mutex_);
  Status store_closed() REQUIRES(commit_mutex_);
  void add_pieces(InodeId ino, uint64_t offset, const Piece& piece,
                  std::vector<Stored>& pieces) const;
  Status put_blocks(std::vector<Stored>& pieces, std::vector<std::pair<BlockId, uint64_t>>& blocks);
  Result<meta::FinishedCommit> build_commit() REQUIRES(commit_mutex_);
  void retire(const meta::FinishedCommit& commit) REQUIRES(commit_mutex_);
  void remove_doomed(const std::vector<BlockId>& doomed) REQUIRES(commit_mutex_);
  Status flush_eagerly();
  void wake_flusher();
  void wake_committer();
  void commit_loop();
  void flush_loop();

  kv::Store& rows_store_;
  block::Store& blocks_;
  os::Clock& clock_;
  os::Random& random_;
  const VolumeSettings settings_;
  std::function<uint64_t(uint64_t)> reclaim_;

  os::Mutex commit_mutex_;  // one commit or upkeep at a time; held across I/O: that is its purpose
  std::optional<ClosedCut> closed_ GUARDED_BY(commit_mutex_);
  std::vector<BlockId> doomed_left_
      GUARDED_BY(commit_mutex_);  // removed; their rows go with the next

  os::Mutex flush_mutex_;  // keeps a cut from falling into an eager flush; held across block puts

  mutable os::SharedMutex lock_;
  wire::StateRow state_ GUARDED_BY(lock_);
  meta::RowTable rows_ GUARDED_BY(lock_);
  meta::Namespace namespace_ GUARDED_BY(lock_);
  std::unordered_map<InodeId, FileContent> contents_ GUARDED_BY(lock_);
  std::vector<InodeId> dirty_files_
      GUARDED_BY(lock_);  // listed ones, oldest first; dropped ones may still be named
  std::vector<InodeId> pending_drops_ GUARDED_BY(lock_);
  std::unordered_set<InodeId> orphans_ GUARDED_BY(lock_);
  std::vector<std::pair<BlockId, uint64_t>> active_blocks_ GUARDED_BY(lock_);
  std::unordered_set<BlockId> shared_blocks_
      GUARDED_BY(lock_);                            // of committed rows, in active deltas
  uint64_t active_pieces_ GUARDED_BY(lock_) = 0;    // an upper bound of pieces in active deltas
  ContentPlaces active_content_ GUARDED_BY(lock_);  // in active_blocks_
  // In blocks of the closed cut that its deltas show, until its commit is done.
  ContentPlaces closed_content_ GUARDED_BY(lock_);
  std::unordered_set<BlockId> closed_content_blocks_ GUARDED_BY(lock_);

  std::atomic<uint64_t> committed_{0};
  std::atomic<uint64_t> last_inline_{0};  // set before the commit counts
  std::atomic<int64_t> committed_time_ns_{0};
  std::atomic<bool> closing_{false};
  MemoryBudget memory_;
  References references_;

  os::Mutex space_mutex_;                                 // a leaf but for the stores' own
  uint64_t space_free_ GUARDED_BY(space_mutex_) = 0;      // when last looked at
  uint64_t space_reserved_ GUARDED_BY(space_mutex_) = 0;  // since then
  uint64_t space_slack_ GUARDED_BY(space_mutex_) = 0;     // for what was promised; beyond free
  Promises promises_ GUARDED_BY(space_mutex_);
  std::atomic<bool> scarce_{false};

  os::Mutex wake_mutex_;  // a leaf
  os::CondVar wake_;
  bool stop_ GUARDED_BY(wake_mutex_) = false;
  bool commit_wanted_ GUARDED_BY(wake_mutex_) = false;
  bool flush_wanted_ GUARDED_BY(wake_mutex_) = false;
  os::Thread committer_;
  os::Thread flusher_;

  friend class LiveTree;
};

}  // namespace nacre::fs
