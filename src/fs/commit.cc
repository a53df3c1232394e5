// Commits: the cut, the blocks, the rows, and what follows when they are durable.
#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "block/block_id.h"
#include "fs/volume.h"

namespace nacre::fs {

namespace {

constexpr uint64_t kDropsPerCommit = 50'000;   // extents of deleted files in one commit
constexpr size_t kRowsPerGroup = 60'000;       // a group this large is committed early
constexpr uint64_t kPiecesPerGroup = 100'000;  // and so is content in this many pieces
constexpr uint64_t kEagerBytes = 16 * kMiB;    // one eager flush

meta::ContentChange change_of(uint64_t offset, const Piece& piece) {
  meta::ContentChange change;
  change.offset = offset;
  change.length = piece.length;
  using Kind = meta::ContentChange::Kind;
  switch (piece.kind) {
    case Piece::Kind::kHole:
      change.kind = Kind::kHole;
      break;
    case Piece::Kind::kUnwritten:
      change.kind = Kind::kUnwritten;
      break;
    case Piece::Kind::kBlock:
      change.kind = Kind::kBlock;
      change.block = piece.block;
      change.block_offset = piece.source_offset;
      break;
    case Piece::Kind::kBuffer:
    case Piece::Kind::kInline:
      change.kind = Kind::kInline;
      change.data = as_text(piece.view());
      break;
  }
  return change;
}

void add_to(uint64_t& total, int64_t change) {
  total = static_cast<uint64_t>(std::max<int64_t>(0, static_cast<int64_t>(total) + change));
}

void count_change(const meta::CommitBuilder& builder, wire::StateRow& state) {
  add_to(state.live_bytes, builder.live_bytes_change());
  if (state.referenced_bytes) add_to(*state.referenced_bytes, builder.referenced_bytes_change());
}

void copy_totals(const wire::StateRow& from, wire::StateRow& to) {
  to.live_bytes = from.live_bytes;
  to.referenced_bytes = from.referenced_bytes;
}

}  // namespace

Status Volume::commit() {
  const os::Lock lock(commit_mutex_);
  return commit_locked();
}

Status Volume::sync(InodeId ino) {
  uint64_t wanted = 0;
  {
    const os::SharedLock lock(lock_);
    const auto content = contents_.find(ino);
    const bool dirty = content != contents_.end() || rows_.has_pending(wire::inode_key(ino));
    if (!dirty) return {};
    wanted = rows_.active_sequence().value;
  }
  const os::Lock lock(commit_mutex_);
  if (committed_ >= wanted) return {};
  return commit_locked();
}

Status Volume::commit_locked() {
  if (settings_.read_only) return {};
  if (closed_) TRY(finish_closed());  // the one that failed before
  return cut() ? finish_closed() : Status();
}

Status Volume::finish_closed() {
  TRY(store_closed());
  meta::FinishedCommit commit = TRY(build_commit());
  TRY(rows_store_.write(commit.batch, kv::Durability::kSynced));
  retire(commit);
  remove_doomed(commit.doomed);
  refresh_space();
  return {};
}

// Closes the active group and deltas at one instant. False when there is nothing to commit.
bool Volume::cut() {
  const os::Lock flush(flush_mutex_);
  const os::ExclusiveLock lock(lock_);
  if (rows_.active_empty() && dirty_files_.empty() && pending_drops_.empty() &&
      active_blocks_.empty()) {
    return false;
  }
  ClosedCut cut;
  for (const InodeId ino : dirty_files_) {
    const auto content = contents_.find(ino);
    if (content == contents_.end() || !content->second.listed) continue;
    CHECK(content->second.closed.empty());
    std::swap(content->second.active, content->second.closed);
    content->second.listed = false;
    cut.files.push_back(ino);
  }
  close_content(cut.files);
  cut.drops = std::move(pending_drops_);
  cut.blocks = std::move(active_blocks_);
  cut.shared = std::move(shared_blocks_);
  dirty_files_.clear();
  pending_drops_.clear();
  active_blocks_.clear();
  shared_blocks_.clear();
  active_pieces_ = 0;
  state_.committed = rows_.active_sequence();
  state_.time = std::max(clock_.now(), Timestamp{state_.time.ns + 1});
  cut.state = state_;
  cut.group = rows_.cut();
  closed_ = std::move(cut);
  return true;
}

// Cuts what is to be stored as blocks need it, and as runs do.
void Volume::add_pieces(InodeId ino, uint64_t offset, const Piece& piece,
                        std::vector<Stored>& pieces) const {
  for (uint64_t done = 0; done < piece.length;) {
    const uint64_t at = offset + done;
    uint64_t most = settings_.block_size;
    if (settings_.run_bytes > 0) most = settings_.run_bytes - at % settings_.run_bytes;
    const uint64_t length = std::min(piece.length - done, most);
    pieces.push_back({ino, at, piece.part(done, length), {}, 0, length, Found::kNowhere});
    done += length;
  }
}

// Puts the pieces that are nowhere yet into as few blocks as they need, in the order given, and
// says where each went.
Status Volume::put_blocks(std::vector<Stored>& pieces,
                          std::vector<std::pair<BlockId, uint64_t>>& blocks) {
  for (size_t first = 0; first < pieces.size();) {
    std::vector<ByteView> parts;
    uint64_t bytes = 0;
    const BlockId block = block::make_block_id(random_);
    size_t next = first;
    for (; next < pieces.size(); ++next) {
      if (pieces[next].found != Found::kNowhere) continue;
      if (bytes + pieces[next].together > settings_.block_size) break;
      pieces[next].block = block;
      pieces[next].block_offset = bytes;
      parts.push_back(pieces[next].piece.view());
      bytes += pieces[next].piece.length;
    }
    CHECK(next > first);
    if (parts.empty()) break;
    if (auto put = blocks_.put(block, parts); !put.ok()) {
      // The next try stores everything anew: what this one stored must not pile up.
      for (const auto& [stored, size] : blocks) TRY(blocks_.remove(stored));
      blocks.clear();
      return put;
    }
    blocks.emplace_back(block, bytes);
    first = next;
  }
  return {};
}

// Turns the buffers of the closed deltas into durable blocks. What is small enough stays: the
// commit's rows carry it.
Status Volume::store_closed() {
  std::vector<Stored> pieces;
  uint64_t bytes = 0;
  {
    const os::SharedLock lock(lock_);
    for (const InodeId ino : closed_->files) {
      for (const auto& [offset, piece] : contents_.find(ino)->second.closed.pieces()) {
        if (piece.kind != Piece::Kind::kBuffer) continue;
        bytes += piece.length;
        add_pieces(ino, offset, piece, pieces);
      }
    }
  }
  if (bytes > settings_.inline_limit_bytes) {
    NewBlocks fresh;
    const Status put = store(Layer::kClosed, pieces, fresh);
    closed_->blocks.insert(closed_->blocks.end(), fresh.blocks.begin(), fresh.blocks.end());
    TRY(put);
    const os::ExclusiveLock lock(lock_);
    for (const auto& [fingerprint, place] : fresh.content) {
      closed_content_.emplace(fingerprint, place);
      closed_content_blocks_.insert(place.block);
    }
    for (const Stored& stored : pieces) {
      // Upkeep may come before another try, if this one fails: not while it commits.
      if (stored.found == Found::kInOlderBlock) closed_->shared.insert(stored.block);
      contents_[stored.ino].closed.settle(stored.offset, stored.piece.length,
                                          stored.piece.buffer.get(), stored.piece.source_offset,
                                          stored.block, stored.block_offset);
    }
  }
  if (closed_->blocks.empty()) return {};
  return blocks_.sync();
}

Result<meta::FinishedCommit> Volume::build_commit() {
  meta::CommitBuilder builder(rows_store_, closed_->group->sequence, settings_.block_size);
  for (const auto& [block, bytes] : closed_->blocks) builder.add_block(block, bytes);
  {
    const os::SharedLock lock(lock_);
    for (const auto& [fingerprint, place] : closed_content_) {
      builder.add_fingerprint(fingerprint, place);
    }
  }
  // Closed deltas change only here, in the committing thread: the lock is for finding them.
  std::vector<std::pair<InodeId, const Delta*>> deltas;
  {
    const os::SharedLock lock(lock_);
    for (const InodeId ino : closed_->files)
      deltas.emplace_back(ino, &contents_.find(ino)->second.closed);
  }
  for (const auto& [ino, delta] : deltas) {
    std::vector<meta::ContentChange> changes;
    for (const auto& [offset, piece] : delta->pieces()) {
      changes.push_back(change_of(offset, piece));
      const bool carried = piece.kind == Piece::Kind::kBuffer || piece.kind == Piece::Kind::kInline;
      if (carried) last_inline_ = closed_->group->sequence.value;
    }
    TRY(builder.add_content(ino, changes));
  }
  std::vector<InodeId> left;
  for (const InodeId ino : closed_->drops) {
    if (builder.rows() > kDropsPerCommit || !TRY(builder.remove_content(ino, kDropsPerCommit))) {
      left.push_back(ino);
    }
  }
  TRY(builder.add_group(*closed_->group));
  for (const InodeId ino : closed_->drops) {
    if (std::find(left.begin(), left.end(), ino) == left.end()) {
      builder.put_volume(wire::orphan_key(ino), std::nullopt);
    }
  }
  closed_->drops_left = std::move(left);
  for (const BlockId block : doomed_left_) builder.erase_doomed(block);
  wire::StateRow state = closed_->state;
  {
    const os::SharedLock lock(lock_);
    copy_totals(state_, state);
  }
  count_change(builder, state);
  copy_totals(state, closed_->state);
  builder.put_volume(std::string(wire::kStateKey), wire::encode(state));
  return builder.finish(state.time, 0);
}

// The commit is durable: readers turn from the closed layers to the store.
void Volume::retire(const meta::FinishedCommit& commit) {
  std::vector<Delta> old;  // freed after the lock
  old.reserve(closed_->files.size());
  const os::ExclusiveLock lock(lock_);
  rows_.retire();
  for (const InodeId ino : closed_->files) {
    const auto content = contents_.find(ino);
    old.push_back(std::exchange(content->second.closed, Delta()));
    if (!content->second.listed) contents_.erase(content);
  }
  for (const auto& [ino, bytes] : commit.allocated_bytes) rows_.correct_allocated(ino, bytes);
  for (const InodeId ino : closed_->drops_left) pending_drops_.push_back(ino);
  copy_totals(closed_->state, state_);
  closed_content_.clear();
  closed_content_blocks_.clear();
  committed_ = closed_->state.committed.value;
  committed_time_ns_ = closed_->state.time.ns;
  closed_.reset();
  doomed_left_.clear();
}

// Failing to remove a block loses nothing: its doomed row stays and it is removed at the next open.
void Volume::remove_doomed(const std::vector<BlockId>& doomed) {
  for (const BlockId block : doomed) {
    if (blocks_.remove(block).ok()) doomed_left_.push_back(block);
  }
}

// Stores the oldest dirty buffers ahead of the commit, so that the commit finds little left to do.
Status Volume::flush_eagerly() {
  const os::Lock flush(flush_mutex_);
  std::vector<Stored> pieces;
  uint64_t bytes = 0;
  {
    const os::ExclusiveLock lock(lock_);
    for (const InodeId ino : dirty_files_) {
      if (bytes >= kEagerBytes) break;
      const auto content = contents_.find(ino);
      if (content == contents_.end()) continue;
      for (const auto& [offset, piece] : content->second.active.pieces()) {
        if (piece.kind != Piece::Kind::kBuffer) continue;
        piece.buffer->sealed = true;
        add_pieces(ino, offset, piece, pieces);
        bytes += piece.length;
        if (bytes >= kEagerBytes) break;
      }
    }
  }
  if (pieces.empty()) return {};
  NewBlocks fresh;
  const Status put = store(Layer::kActive, pieces, fresh);
  const os::ExclusiveLock lock(lock_);
  active_blocks_.insert(active_blocks_.end(), fresh.blocks.begin(), fresh.blocks.end());
  TRY(put);
  active_content_.insert(fresh.content.begin(), fresh.content.end());
  std::unordered_map<BlockId, bool> in_use;
  for (const Stored& stored : pieces) {
    const bool older = stored.found == Found::kInOlderBlock;
    if (older && !TRY(is_in_use(stored.block, in_use))) continue;  // gone meanwhile: stays dirty
    const auto content = contents_.find(stored.ino);
    if (content == contents_.end()) continue;  // dropped meanwhile
    const bool shown = content->second.active.settle(
        stored.offset, stored.piece.length, stored.piece.buffer.get(), stored.piece.source_offset,
        stored.block, stored.block_offset);
    if (shown && older) shared_blocks_.insert(stored.block);
  }
  return {};
}

Status Volume::upkeep(const std::function<Status(meta::CommitBuilder&)>& build,
                      const std::function<void(wire::StateRow&)>& settle) {
  if (settings_.read_only) return Code::kReadOnly;
  const os::Lock commit(commit_mutex_);
  if (closed_) {
    // A commit that finds no room waits for what upkeep gives back.
    auto finished = finish_closed();
    if (!finished.ok() && finished.code() != Code::kNoSpace) return finished;
  }
  meta::CommitBuilder builder(rows_store_, committed(), settings_.block_size);
  TRY(build(builder));
  meta::FinishedCommit upkeep = TRY(builder.finish_upkeep());
  const auto settle_state = [&](wire::StateRow& state) {
    count_change(builder, state);
    if (settle) settle(state);
  };
  if (settle || builder.live_bytes_change() != 0 || builder.referenced_bytes_change() != 0) {
    const auto stored = TRY(rows_store_.get(kv::Family::kVolume, wire::kStateKey));
    if (!stored) return Error(Code::kCorrupt, "the state row is missing: run nacre check");
    wire::StateRow state = TRY(wire::decode_state(*stored));
    settle_state(state);
    upkeep.batch.put(kv::Family::kVolume, std::string(wire::kStateKey), wire::encode(state));
  }
  if (upkeep.batch.empty()) return {};
  TRY(blocks_.sync());
  {
    const os::ExclusiveLock lock(
        lock_);  // held across a buffered write: nobody may share a doomed block
    for (const BlockId block : upkeep.doomed) {
      if (shared_blocks_.contains(block)) return Code::kBusy;
      if (closed_ && closed_->shared.contains(block)) return Code::kBusy;
    }
    TRY(rows_store_.write(upkeep.batch, kv::Durability::kBuffered));
    settle_state(state_);
    if (closed_) settle_state(closed_->state);
  }
  TRY(rows_store_.sync());
  remove_doomed(upkeep.doomed);
  refresh_space();
  return {};
}

void Volume::commit_loop() {
  while (true) {
    {
      const os::Lock lock(wake_mutex_);
      const int64_t due_ns = clock_.monotonic_ns() + settings_.commit_interval_ns;
      while (!stop_ && !commit_wanted_) {
        const std::chrono::nanoseconds left(due_ns - clock_.monotonic_ns());
        if (left.count() <= 0 || !wake_.wait_for(wake_mutex_, left)) break;
      }
      if (stop_) return;
      commit_wanted_ = false;
    }
    // A failure is kept and tried again: whoever syncs is told.
    if (!commit().ok()) {
      const os::Lock lock(wake_mutex_);
      if (!stop_) wake_.wait_for(wake_mutex_, std::chrono::seconds(1));
    }
  }
}

void Volume::flush_loop() {
  while (true) {
    {
      const os::Lock lock(wake_mutex_);
      while (!stop_ && !flush_wanted_) wake_.wait(wake_mutex_);
      if (stop_) return;
      flush_wanted_ = false;
    }
    while (memory_.wants_flush()) {
      const uint64_t before = memory_.used();
      const Status flushed = flush_eagerly();
      bool wanted = false;
      {
        const os::SharedLock lock(lock_);
        wanted = rows_.active_rows() > kRowsPerGroup || active_pieces_ > kPiecesPerGroup;
      }
      // What the eager flush cannot free, the commit can: buffers of the closed cut, or a full
      // device.
      if (!flushed.ok() || wanted || memory_.used() >= before) {
        if (!commit().ok()) break;
      }
    }
  }
}

}  // namespace nacre::fs
