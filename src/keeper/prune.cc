#include "keeper/prune.h"

#include <algorithm>

#include "keeper/patient_upkeep.h"
#include "meta/moments.h"

namespace nacre::keeper {

namespace {

constexpr size_t kTouchedRemembered = 64 * 1024;

bool is_pinned(const std::vector<Sequence>& snapshots, Sequence begin, Sequence end) {
  const auto first = std::lower_bound(snapshots.begin(), snapshots.end(), begin);
  return first != snapshots.end() && *first < end;
}

}  // namespace

// One step's work, discarded when the volume refuses it.
struct Pruner::Visit {
  Sequence target;
  std::vector<Sequence> snapshots;  // ascending
  Cursor cursor;
  Sequence floor;
  PruneStep step;
  std::vector<BlockId> touched;

  bool full(uint64_t limit) const { return step.visited >= limit; }
};

void Pruner::touch(BlockId block) {
  if (touched_.size() >= kTouchedRemembered) touched_overflow_ = true;
  if (!touched_overflow_) touched_.insert(block);
}

std::optional<std::vector<BlockId>> Pruner::take_touched() {
  std::optional<std::vector<BlockId>> blocks;
  if (!touched_overflow_) blocks.emplace(touched_.begin(), touched_.end());
  touched_.clear();
  touched_overflow_ = false;
  return blocks;
}

// A past row that does not decode stays, as if pinned: check reports it.
Status Pruner::visit_past_row(meta::CommitBuilder& builder, Visit& visit,
                              const std::string& live_key) {
  ++visit.step.visited;
  const std::string key = wire::past_key(live_key, visit.cursor.sequence);
  const auto value = TRY(volume_.rows().get(kv::Family::kPast, key));
  if (!value) return {};
  const auto begin = wire::begin_of(*value);
  bool stays = !begin.ok() || is_pinned(visit.snapshots, *begin, visit.cursor.sequence);
  if (!stays && live_key.front() == static_cast<char>(wire::RowKind::kExtent)) {
    const auto row = wire::decode_extent(*value);
    if (row.ok() && row->kind == wire::ExtentKind::kBlock) visit.touched.push_back(row->block);
    stays = !row.ok();
  }
  if (stays) {
    ++visit.step.pinned;
    visit.cursor.pinned = true;
    return {};
  }
  ++visit.step.dropped;
  return builder.drop_past(key, *value);
}

Status Pruner::visit_keys(meta::CommitBuilder& builder, Visit& visit, std::string_view change) {
  const auto row = wire::decode_change(change);
  if (!row.ok()) visit.cursor.pinned = true;  // for check to mend
  for (; row.ok() && visit.cursor.key < row->keys.size(); ++visit.cursor.key) {
    if (visit.full(rows_per_step_)) return {};
    TRY(visit_past_row(builder, visit, row->keys[visit.cursor.key]));
  }
  ++visit.cursor.part;
  visit.cursor.key = 0;
  return {};
}

// The floor rises above the cursor's sequence: its change rows go, unless they guard something.
void Pruner::leave_sequence(meta::CommitBuilder& builder, Visit& visit) {
  const Cursor& at = visit.cursor;
  if (at.pinned) return;
  for (uint32_t part = 0; part < at.part; ++part) {
    builder.erase_change(wire::change_key(at.sequence, part));
  }
}

Status Pruner::walk(meta::CommitBuilder& builder, Visit& visit) {
  Cursor& at = visit.cursor;
  const auto rows = volume_.rows().iterate(kv::Family::kChanges,
                                           {wire::change_key(at.sequence, at.part),
                                            wire::change_key(Sequence{visit.target.value + 1}, 0)});
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const auto key = TRY(wire::decode_change_key(rows->key()));
    if (key.sequence != at.sequence) {
      leave_sequence(builder, visit);
      const Sequence pruned = at.sequence;
      at = {key.sequence, 0, 0, false, std::max(at.pruned, pruned)};
    }
    visit.floor = std::max(visit.floor, at.sequence);
    if (visit.full(rows_per_step_)) return {};
    at.part = key.part;
    TRY(visit_keys(builder, visit, rows->value()));
    if (at.part == key.part) return {};  // the step is full
  }
  TRY(rows->status());
  // The change row of the floor itself stays: it tells the time from which history is kept.
  if (at.sequence < visit.target) {
    leave_sequence(builder, visit);
    at = {visit.target, 0, 0, false, {}};
  }
  at.pruned = visit.target;
  visit.floor = std::max(visit.floor, visit.target);
  visit.step.done = true;
  return {};
}

Status Pruner::build(meta::CommitBuilder& builder, Sequence floor, Visit& visit) {
  const wire::StateRow state = volume_.state();
  visit = {};
  visit.target = std::min(floor, volume_.committed());
  visit.floor = state.floor;
  for (const auto& snapshot : TRY(meta::list_snapshots(volume_.rows()))) {
    visit.snapshots.push_back(snapshot.sequence);
  }
  std::sort(visit.snapshots.begin(), visit.snapshots.end());
  visit.cursor = cursor_;
  // At the first step, or when delete_snapshot() took `pruned` back: from there on.
  if (cursor_.sequence.value == 0 || cursor_.pruned != state.pruned) {
    visit.cursor = {state.pruned, 0, 0, false, state.pruned};
  }
  return walk(builder, visit);
}

Result<PruneStep> Pruner::step(Sequence floor) {
  Visit visit;
  if (std::min(floor, volume_.committed()) <= volume_.state().pruned) {
    visit.step.done = true;
    return visit.step;
  }
  TRY(patient_upkeep(
          volume_, [&](meta::CommitBuilder& builder) { return build(builder, floor, visit); },
          [&](wire::StateRow& state) {
            state.floor = std::max(state.floor, visit.floor);
            state.pruned = std::max(state.pruned, visit.cursor.pruned);
          })
          .status);
  cursor_ = visit.cursor;
  for (const BlockId block : visit.touched) touch(block);
  return visit.step;
}

Result<PruneTotals> prune(Pruner& pruner, Sequence floor,
                          const std::function<bool(const PruneTotals&)>& go_on) {
  PruneTotals totals;
  while (!totals.done) {
    const PruneStep step = TRY(pruner.step(floor));
    totals.visited += step.visited;
    totals.dropped += step.dropped;
    totals.pinned += step.pinned;
    totals.done = step.done;
    if (go_on && !go_on(totals)) break;
  }
  return totals;
}

}  // namespace nacre::keeper
