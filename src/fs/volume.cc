// Opening and closing a volume, the fate of unlinked inodes, and what wakes the background.
#include "fs/volume.h"

#include <algorithm>

#include "base/check.h"

namespace nacre::fs {

namespace {

constexpr int64_t kDefaultKeepNs = int64_t{30} * 24 * 3600 * 1'000'000'000;
constexpr uint64_t kDefaultHistoryPercent = 80;
constexpr uint64_t kRowBytes = 512;       // what a change of the namespace may add to the rows
constexpr size_t kRowsWanted = 40'000;    // pending rows that make a commit worth while
constexpr size_t kRowsTooMany = 200'000;  // pending rows that callers wait for

}  // namespace

Volume::Volume(const Parts& parts, const VolumeSettings& settings, wire::StateRow state)
    : rows_store_(parts.rows),
      blocks_(parts.blocks),
      clock_(parts.clock),
      random_(parts.random),
      settings_(settings),
      state_(state),
      rows_(parts.rows, state.committed),
      namespace_(rows_, settings.name_key, state_, parts.clock, parts.random),
      committed_(state.committed.value),
      last_inline_(state.committed.value),
      committed_time_ns_(state.time.ns),
      memory_(settings.dirty_limit_bytes) {}

Result<std::unique_ptr<Volume>> Volume::open(const Parts& parts, const VolumeSettings& settings) {
  const auto stored = TRY(parts.rows.get(kv::Family::kVolume, wire::kStateKey));
  wire::StateRow state;
  if (stored) {
    state = TRY(wire::decode_state(*stored));
  } else {
    state.keep_ns = kDefaultKeepNs;
    state.history_budget_percent = kDefaultHistoryPercent;
    if (settings.run_bytes > 0) state.referenced_bytes = 0;
  }
  std::unique_ptr<Volume> volume(new Volume(parts, settings, state));
  TRY(volume->load(!stored));
  return volume;
}

Status Volume::load(bool fresh) {
  if (fresh) {
    if (settings_.read_only) return Error(Code::kInvalid, "the volume was never written to");
    change([&](meta::Namespace& names) {
      names.make_root(settings_.root_uid, settings_.root_gid, 0755);
    });
    TRY(commit());
  } else if (!settings_.read_only) {
    TRY(sweep_blocks());
    TRY(sweep_orphans());
  }
  refresh_space();
  if (settings_.background && !settings_.read_only) {
    committer_ = os::Thread("nacre-commit", [this] { commit_loop(); });
    flusher_ = os::Thread("nacre-flush", [this] { flush_loop(); });
  }
  return {};
}

// Inodes that had lost their last name, but were still open, when the volume went down.
Status Volume::sweep_orphans() {
  std::vector<InodeId> found;
  const auto rows = rows_store_.iterate(kv::Family::kVolume, kv::prefix_range(wire::kOrphanPrefix));
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const auto ino = wire::decode_orphan_key(rows->key());
    if (ino.ok()) found.push_back(*ino);  // another key is for check to report
  }
  TRY(rows->status());
  for (const InodeId ino : found) {
    const os::ExclusiveLock lock(lock_);
    const auto inode = meta::load_inode(rows_, ino);
    const bool damaged = inode.ok() ? inode->row.nlink != 0 : inode.code() == Code::kCorrupt;
    if (damaged) continue;  // for check to mend
    if (auto dropped = namespace_.drop(ino); !dropped.ok() && dropped.code() != Code::kNotFound) {
      return dropped;
    }
    pending_drops_.push_back(ino);
  }
  return {};
}

// Blocks the store holds and no row owns: put but not committed, or doomed but not yet removed.
Status Volume::sweep_blocks() {
  std::vector<BlockId> unowned;
  Status failure;
  TRY(blocks_.list([&](BlockId block, const block::BlockInfo&) {
    auto row = rows_store_.get(kv::Family::kBlocks, wire::block_key(block));
    if (!row.ok()) {
      failure = std::move(row).error();
      return false;
    }
    if (*row) return true;
    // An owner without the block's own row is damage, for check to mend: it must not cost the
    // block.
    const auto owners =
        rows_store_.iterate(kv::Family::kBlocks, kv::prefix_range(wire::owner_prefix(block)));
    owners->seek_to_first();
    failure = owners->status();
    if (failure.ok() && !owners->valid()) unowned.push_back(block);
    return failure.ok();
  }));
  TRY(std::move(failure));
  for (const BlockId block : unowned) TRY(blocks_.remove(block));
  const os::Lock lock(commit_mutex_);
  const auto rows = rows_store_.iterate(kv::Family::kBlocks,
                                        kv::prefix_range(std::string(1, wire::kDoomedRowKind)));
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const auto block = wire::block_of(rows->key());
    if (block.ok()) doomed_left_.push_back(*block);
  }
  return rows->status();
}

Volume::~Volume() {
  {
    const os::Lock lock(wake_mutex_);
    stop_ = true;
    wake_.notify_all();
  }
  committer_.join();
  flusher_.join();
}

Status Volume::close() {
  closing_ = true;
  // The second commit carries what the first left: extents of large deleted files.
  while (true) {
    TRY(commit());
    const os::SharedLock lock(lock_);
    if (pending_drops_.empty()) return {};
  }
}

Sequence Volume::committed() const { return Sequence{committed_}; }
Timestamp Volume::committed_time() const { return {committed_time_ns_}; }
Timestamp Volume::now() { return std::max(clock_.now(), committed_time()); }

Status Volume::unlinked(const meta::Unlinked& gone) {
  if (!gone.last) return {};
  if (references_.count(gone.ino) != 0) {
    orphans_.insert(gone.ino);
    return {};
  }
  return drop(gone.ino);
}

Status Volume::released(InodeId ino) {
  {
    const os::SharedLock lock(lock_);
    if (!orphans_.contains(ino)) return {};
  }
  const os::ExclusiveLock lock(lock_);
  if (references_.count(ino) != 0 || orphans_.erase(ino) == 0) return {};
  return drop(ino);
}

Status Volume::drop(InodeId ino) {
  TRY(namespace_.drop(ino));
  pending_drops_.push_back(ino);
  {
    const os::Lock space(space_mutex_);
    static_cast<void>(promises_.use(ino, UINT64_MAX));
  }
  if (const auto content = contents_.find(ino); content != contents_.end()) {
    content->second.active.clear();
    content->second.listed = false;
    if (content->second.closed.empty()) contents_.erase(content);
  }
  return {};
}

Status Volume::admit_change(Growth growth) {
  if (is_read_only()) return Code::kReadOnly;
  size_t rows = 0;
  {
    const os::SharedLock lock(lock_);
    rows = rows_.active_rows();
  }
  if (rows > kRowsTooMany) {
    TRY(commit());
  } else if (rows > kRowsWanted && settings_.background) {
    wake_committer();
  }
  return growth == Growth::kNew ? reserve(kRowBytes) : reserve_with_slack(kRowBytes);
}

void Volume::wake_flusher() {
  const os::Lock lock(wake_mutex_);
  flush_wanted_ = true;
  wake_.notify_all();
}

void Volume::wake_committer() {
  const os::Lock lock(wake_mutex_);
  commit_wanted_ = true;
  wake_.notify_all();
}

void Volume::change_state(const std::function<void(wire::StateRow&)>& body) {
  const os::ExclusiveLock lock(lock_);
  body(state_);
  rows_.put_volume(std::string(wire::kStateKey), wire::encode(state_));
}

wire::StateRow Volume::state() const {
  const os::SharedLock lock(lock_);
  return state_;
}

void Volume::put_volume_row(std::string key, std::optional<std::string> value) {
  const os::ExclusiveLock lock(lock_);
  rows_.put_volume(std::move(key), std::move(value));
}

void Volume::set_reclaimer(std::function<uint64_t(uint64_t)> reclaim) {
  reclaim_ = std::move(reclaim);
}

}  // namespace nacre::fs
