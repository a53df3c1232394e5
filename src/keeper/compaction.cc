#include "keeper/compaction.h"

#include <algorithm>
#include <utility>

namespace nacre::keeper {

namespace {

constexpr size_t kMostHints = 256 * 1024;

}  // namespace

void CompactionTotals::add(const Repacked& done) {
  blocks_freed += done.blocks_freed;
  bytes_written += done.bytes_written;
  bytes_freed += done.bytes_freed;
  damaged += done.damaged.size();
}

void CompactionTotals::add(const CompactionTotals& other) {
  examined += other.examined;
  blocks_freed += other.blocks_freed;
  bytes_written += other.bytes_written;
  bytes_freed += other.bytes_freed;
  damaged += other.damaged;
}

void Compactor::begin_pass() {
  walking_ = true;
  cursor_ = std::string(1, wire::kBlockRowKind);
}

void Compactor::look_at(const std::vector<BlockId>& blocks) {
  hints_.insert(hints_.end(), blocks.begin(), blocks.end());
  if (hints_.size() <= kMostHints) return;
  hints_.clear();  // looking at all is less work to remember
  begin_pass();
}

Result<std::optional<Victim>> Compactor::weigh(BlockId block, uint64_t percent,
                                               uint64_t& examined) {
  ++examined;
  std::optional<Victim> none;
  if (damaged_.contains(block)) return none;
  const auto stored = TRY(volume_.rows().get(kv::Family::kBlocks, wire::block_key(block)));
  if (!stored) return none;
  const auto row = wire::decode_block(*stored);
  // Damaged books are for check to report; such a block stays.
  if (!row.ok() || row->stored_bytes > block::kMaxBlockBytes) return none;
  const uint64_t limit = (row->stored_bytes * percent + 99) / 100;
  if (row->references == 1 && row->referenced_bytes >= limit) return none;

  Victim victim{block, row->stored_bytes, {}};
  const auto owners =
      volume_.rows().iterate(kv::Family::kBlocks, kv::prefix_range(wire::owner_prefix(block)));
  for (owners->seek_to_first(); owners->valid(); owners->next()) {
    ++examined;
    const auto owner = wire::decode_owner(owners->value());
    if (!owner.ok() || owner->block_offset > row->stored_bytes ||
        owner->length > row->stored_bytes - owner->block_offset) {
      return none;
    }
    victim.survivors.add(owner->block_offset, owner->block_offset + owner->length);
    if (victim.survivors.bytes() >= limit) return none;
  }
  TRY(owners->status());
  if (victim.survivors.bytes() == 0) return none;
  return std::optional(std::move(victim));
}

// None when the pass is over.
Result<std::optional<BlockId>> Compactor::next_block() {
  if (!hints_.empty()) {
    const BlockId block = hints_.front();
    hints_.pop_front();
    return std::optional(block);
  }
  if (!walking_) return std::optional<BlockId>();
  const auto rows = volume_.rows().iterate(kv::Family::kBlocks,
                                           kv::prefix_range(std::string(1, wire::kBlockRowKind)));
  rows->seek(cursor_);
  TRY(rows->status());
  if (!rows->valid()) {
    walking_ = false;
    return std::optional<BlockId>();
  }
  cursor_ = std::string(rows->key()) + '\0';
  return std::optional(TRY(wire::block_of(rows->key())));
}

Status Compactor::rewrite_found(CompactionTotals& totals) {
  if (found_.empty()) return {};
  found_bytes_ = 0;
  found_blocks_.clear();
  const Repacked done = TRY(repack(volume_, std::exchange(found_, {})));
  damaged_.insert(done.damaged.begin(), done.damaged.end());
  totals.add(done);
  return {};
}

// Rewrites what was found before when the victim does not fit beside it.
Status Compactor::take(Victim victim, CompactionTotals& totals) {
  if (found_blocks_.contains(victim.block)) return {};  // a hint met again by the pass
  if (found_bytes_ + victim.survivors.bytes() > volume_.settings().block_size) {
    TRY(rewrite_found(totals));
  }
  found_bytes_ += victim.survivors.bytes();
  found_blocks_.insert(victim.block);
  found_.push_back(std::move(victim));
  return {};
}

Result<CompactionTotals> Compactor::step() {
  CompactionTotals totals;
  while (totals.examined < kExaminedPerStep && totals.bytes_written == 0) {
    const auto block = TRY(next_block());
    if (!block) {
      TRY(rewrite_found(totals));
      break;
    }
    if (auto victim = TRY(weigh(*block, kSparsePercent, totals.examined))) {
      TRY(take(std::move(*victim), totals));
    }
  }
  return totals;
}

Result<CompactionTotals> Compactor::rewrite_hints(uint64_t bytes) {
  CompactionTotals totals;
  while (!hints_.empty() && totals.bytes_written + found_bytes_ < bytes) {
    const BlockId block = hints_.front();
    hints_.pop_front();
    if (auto victim = TRY(weigh(block, kSparsePercent, totals.examined))) {
      TRY(take(std::move(*victim), totals));
    }
  }
  TRY(rewrite_found(totals));
  return totals;
}

Result<CompactionTotals> Compactor::rewrite(const std::vector<BlockId>& blocks) {
  CompactionTotals totals;
  TRY(rewrite_found(totals));
  for (const BlockId block : blocks) {
    if (auto victim = TRY(weigh(block, 100, totals.examined))) {
      TRY(take(std::move(*victim), totals));
    }
  }
  TRY(rewrite_found(totals));
  return totals;
}

}  // namespace nacre::keeper
