#include "keeper/inline.h"

#include <algorithm>

#include "block/block_id.h"
#include "keeper/owned_extent.h"
#include "keeper/patient_upkeep.h"
#include "meta/content_finder.h"

namespace nacre::keeper {

namespace {

constexpr uint64_t kCommitsPerStep = 2'000;
constexpr size_t kRowsPerMove = 5'000;
constexpr uint64_t kMarkEvery =
    10'000;  // commits without anything to move, before the mark follows

bool is_large_inline(const wire::ExtentRow& row) {
  return row.kind == wire::ExtentKind::kInline && row.length > InlineMover::kStaysBytes;
}

}  // namespace

Status InlineMover::load_mark() {
  if (loaded_) return {};
  const auto stored = TRY(volume_.rows().get(kv::Family::kVolume, wire::kInlineMarkKey));
  if (stored) mark_ = TRY(wire::decode_mark(*stored)).sequence;
  scanned_ = mark_;
  loaded_ = true;
  return {};
}

Result<Sequence> InlineMover::moved() {
  TRY(load_mark());
  return found_.empty() ? scanned_ : Sequence{found_.front().begin.value - 1};
}

Status InlineMover::scan_key(Sequence sequence, const std::string& key) {
  if (key.front() != static_cast<char>(wire::RowKind::kExtent)) return {};
  const auto live = TRY(wire::decode_live_key(key));
  const auto extent = TRY(find_extent(volume_.rows(), nullptr, live.ino, live.position, sequence));
  if (!extent || !is_large_inline(extent->row)) return {};
  found_.push_back({live.ino, live.position, sequence, extent->row.length});
  found_bytes_ += extent->row.length;
  return {};
}

Result<bool> InlineMover::scan() {
  const Sequence committed = volume_.committed();
  if (scanned_ >= volume_.last_inline()) {
    scanned_ = std::max(scanned_, committed);
    return true;
  }
  const auto rows = volume_.rows().iterate(kv::Family::kChanges,
                                           {wire::change_key(Sequence{scanned_.value + 1}, 0), {}});
  Sequence last = scanned_;
  uint64_t commits = 0;
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const auto key = TRY(wire::decode_change_key(rows->key()));
    if (key.sequence != last) {
      scanned_ = last;
      if (found_bytes_ >= volume_.settings().block_size || found_.size() >= kRowsPerMove ||
          commits++ == kCommitsPerStep) {
        return false;
      }
      last = key.sequence;
    }
    const auto row = TRY(wire::decode_change(rows->value()));
    for (const std::string& touched : row.keys) TRY(scan_key(key.sequence, touched));
    if (!found_.empty() && !oldest_) oldest_ = row.time;
  }
  TRY(rows->status());
  scanned_ = last;
  return true;
}

bool InlineMover::due() const {
  if (found_.empty()) return false;
  if (found_bytes_ >= volume_.settings().block_size / 4 * 3 || found_.size() >= kRowsPerMove) {
    return true;
  }
  const Timestamp now = volume_.clock().now();
  return now < *oldest_ || now.ns - oldest_->ns >= kOldNs;  // a clock set back must not hold it up
}

// Reads the rows' bytes and puts them into blocks, each as full as it gets.
Status InlineMover::put(std::vector<Packed>& packed,
                        std::vector<std::pair<BlockId, uint64_t>>& blocks) {
  std::string bytes;
  std::unordered_map<codec::Fingerprint, size_t> firsts;
  meta::ContentFinder finder(volume_.rows());
  const auto put_block = [&]() -> Status {
    if (bytes.empty()) return {};
    const ByteView part = as_bytes(bytes);
    const BlockId block = block::make_block_id(volume_.random());
    TRY(volume_.blocks().put(block, std::span(&part, 1)));
    blocks.emplace_back(block, bytes.size());
    for (Packed& at : packed) {
      if (at.place.block.is_zero()) at.place.block = block;
    }
    bytes.clear();
    return {};
  };
  for (const Found& found : found_) {
    const auto extent =
        TRY(find_extent(volume_.rows(), nullptr, found.ino, found.offset, found.begin));
    if (!extent || !is_large_inline(extent->row)) continue;
    const wire::ExtentRow& row = extent->row;
    Packed packing{found, {{}, 0, row.length}, {}, false};
    bool is_new = true;
    if (volume_.is_run(found.offset, row.length)) {
      const ByteView part = as_bytes(row.data);
      packing.fingerprint = volume_.fingerprint({&part, 1});
      if (const auto place = TRY(finder.find(*packing.fingerprint, row.length))) {
        packing.place = *place;
        packing.was_stored = true;
        is_new = false;
      } else if (const auto [first, is_first] = firsts.emplace(*packing.fingerprint, packed.size());
                 !is_first) {
        packing.place = packed[first->second].place;
        is_new = false;
      }
    }
    if (is_new) {
      if (bytes.size() + row.length > volume_.settings().block_size) TRY(put_block());
      packing.place.offset = bytes.size();
      bytes += row.data;
    }
    packed.push_back(packing);
  }
  return put_block();
}

Result<bool> InlineMover::repoint(meta::CommitBuilder& builder, const std::vector<Packed>& packed,
                                  Step& step) {
  bool all_there = true;
  meta::ContentFinder finder(volume_.rows());
  for (const Packed& at : packed) {
    const auto extent =
        TRY(find_extent(volume_.rows(), nullptr, at.found.ino, at.found.offset, at.found.begin));
    if (!extent || !is_large_inline(extent->row)) continue;
    if (at.was_stored && TRY(finder.find(*at.fingerprint, at.place.length)) != at.place) {
      all_there = false;
      continue;
    }
    if (at.fingerprint && !at.was_stored) builder.add_fingerprint(*at.fingerprint, at.place);
    wire::ExtentRow to = extent->row;
    to.kind = wire::ExtentKind::kBlock;
    to.data.clear();
    to.block = at.place.block;
    to.block_offset = at.place.offset;
    TRY(builder.repoint(extent->live_key, extent->past_end, extent->row, to));
    ++step.rows;
    step.bytes += to.length;
  }
  return all_there;
}

Result<InlineMover::Step> InlineMover::move() {
  Step step;
  std::vector<Packed> packed;
  std::vector<std::pair<BlockId, uint64_t>> blocks;
  bool all_there = true;
  UpkeepOutcome outcome;
  outcome.status = put(packed, blocks);
  if (outcome.status.ok()) {
    outcome = patient_upkeep(volume_, [&](meta::CommitBuilder& builder) -> Status {
      step = {};
      for (const auto& [block, bytes] : blocks) builder.add_block(block, bytes);
      all_there = TRY(repoint(builder, packed, step));
      if (!all_there) return {};
      builder.put_volume(std::string(wire::kInlineMarkKey), wire::encode(wire::MarkRow{scanned_}));
      return {};
    });
  }
  if (!outcome.maybe_applied) {
    for (const auto& [block, bytes] : blocks) TRY(volume_.blocks().remove(block));
  }
  TRY(std::move(outcome.status));
  if (all_there) mark_ = scanned_;  // else what was left is found again
  forget_found();
  return step;
}

void InlineMover::forget_found() {
  scanned_ = mark_;
  found_.clear();
  found_bytes_ = 0;
  oldest_.reset();
}

Result<InlineMover::Step> InlineMover::step(bool now_due) {
  TRY(load_mark());
  const auto at_end = scan();
  if (!at_end.ok()) {
    forget_found();
    return at_end.error();
  }
  Step step;
  const bool mark_is_late = found_.empty() && scanned_.value - mark_.value >= kMarkEvery;
  if (due() || (now_due && !found_.empty()) || mark_is_late) step = TRY(move());
  step.more = !*at_end;
  return step;
}

}  // namespace nacre::keeper
