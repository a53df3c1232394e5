#include "keeper/keeper.h"

#include <algorithm>
#include <chrono>

#include "keeper/low_priority.h"

namespace nacre::keeper {

namespace {

constexpr int kInlineStepsPerTick = 16;
constexpr int kPruneStepsPerTick = 20;
constexpr uint64_t kPressureFactor = 8;          // for compaction
constexpr uint64_t kBytesPerRow = 512;           // what looking at a row counts as, beside writing
constexpr int64_t kTicksAfterFailure = 10;       // until the next round
constexpr uint64_t kRowsWorthMerging = 200'000;  // dropped, before the row store is asked to shrink
constexpr int64_t kUrgentPassNs = int64_t{600} * 1'000'000'000;

}  // namespace

Keeper::Keeper(fs::Volume& volume, const KeeperOptions& options)
    : volume_(volume),
      options_(options),
      clock_watch_(volume),
      pruner_(volume),
      compactor_(volume),
      inline_mover_(volume) {
  volume_.set_reclaimer([this](uint64_t wanted_bytes) { return reclaim(wanted_bytes); });
}

Keeper::~Keeper() {
  stop();
  volume_.set_reclaimer({});
}

void Keeper::start() {
  thread_ = os::Thread("nacre-keeper", [this] { loop(); });
}

void Keeper::stop() {
  {
    const os::Lock lock(wake_mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
  stopping_ = false;  // what is asked for is still done
}

void Keeper::loop() {
  lower_priority();
  int64_t ticks = 1;
  while (true) {
    {
      const os::Lock lock(wake_mutex_);
      const std::chrono::nanoseconds pause(options_.tick_ns * ticks);
      // A spurious wakeup makes a round early.
      if (!stopping_) wake_.wait_for(wake_mutex_, pause);
      if (stopping_) return;
    }
    ticks = tick().ok() ? 1 : kTicksAfterFailure;
  }
}

// Between two duties others get their turn.
Status Keeper::tick() {
  (void)clock_watch_.suspect();
  Status first;
  for (const auto duty : {&Keeper::move_due_inline, &Keeper::prune_leftovers, &Keeper::relieve,
                          &Keeper::compact_some, &Keeper::clean_some}) {
    if (stopping_) break;
    const os::Lock lock(duty_mutex_);
    Status status = (this->*duty)();
    if (first.ok()) first = std::move(status);
  }
  const os::Lock lock(status_mutex_);
  status_.last_error = first.ok() ? "" : first.error().to_string();
  return first;
}

KeeperStatus Keeper::status() {
  const wire::StateRow state = volume_.state();
  const os::Lock lock(status_mutex_);
  KeeperStatus status = status_;
  status.floor = state.floor;
  status.clock_suspect = state.clock_suspect;
  return status;
}

Status Keeper::move_inline(bool now_due) {
  for (int i = 0; i < kInlineStepsPerTick && !stopping_; ++i) {
    const auto step = TRY(inline_mover_.step(now_due));
    const os::Lock lock(status_mutex_);
    status_.inline_bytes_moved += step.bytes;
    if (!step.more) break;
  }
  return {};
}

Result<PruneStep> Keeper::prune_step(Sequence floor) {
  // Pruning takes the feed away that inline rows are found by. Where there is no room to move them,
  // they stay.
  const auto moved = inline_mover_.moved();
  if (moved.ok() && *moved < std::min(floor, volume_.committed())) (void)move_inline(true).ok();
  const PruneStep step = TRY(pruner_.step(floor));
  if (const auto touched = pruner_.take_touched()) {
    compactor_.look_at(*touched);
  } else {
    compactor_.begin_pass();
  }
  rows_dropped_ += step.dropped;
  const os::Lock lock(status_mutex_);
  status_.rows_pruned += step.dropped;
  return step;
}

void Keeper::count(const CompactionTotals& step) {
  const os::Lock lock(status_mutex_);
  status_.blocks_compacted += step.blocks_freed;
  status_.compaction_bytes_written += step.bytes_written;
  status_.compaction_bytes_freed += step.bytes_freed;
  status_.blocks_damaged += step.damaged;
}

Result<CompactionTotals> Keeper::compact_step() {
  const CompactionTotals step = TRY(compactor_.step());
  count(step);
  return step;
}

// History below the floor that a deleted snapshot no longer pins: nobody can read it.
Status Keeper::prune_leftovers() {
  for (int i = 0; i < kPruneStepsPerTick && !stopping_; ++i) {
    const wire::StateRow state = volume_.state();
    if (state.pruned >= state.floor || TRY(prune_step(state.floor)).done) break;
  }
  return {};
}

Result<Sequence> Keeper::age_limit() {
  if (clock_watch_.suspect()) return volume_.state().floor;
  return keep_limit(volume_, volume_.clock().now());
}

// Prunes towards `limit`, and compacts what that left sparse, until there is enough or no more to
// gain.
Status Keeper::give_up_history(Sequence limit, const std::function<bool()>& enough) {
  while (!enough()) {
    const PruneStep step = TRY(prune_step(limit));
    while (compactor_.has_hints() && !enough()) {
      const auto compacted = compactor_.rewrite_hints(volume_.settings().block_size);
      if (!compacted.ok() && compacted.code() != Code::kNoSpace) return compacted.error();
      if (!compacted.ok()) break;  // no room for copies: pruning alone must make some
      count(*compacted);
    }
    if (step.done) break;
  }
  return {};
}

Status Keeper::relieve() {
  int steps = 0;
  Pressure pressure;
  const auto look = [&] {
    pressure = pressure_of(volume_.usage(), policy_of(volume_.state()));
    const os::Lock lock(status_mutex_);
    status_.pressure = pressure;
  };
  look();
  if (!pressure.any()) return {};
  const auto relieved = [&] {
    look();
    return !pressure.any() || ++steps > kPruneStepsPerTick || stopping_;
  };
  TRY(give_up_history(TRY(age_limit()), relieved));
  const auto out_of_danger = [&] { return relieved() || !pressure.critical; };
  TRY(give_up_history(volume_.committed(), out_of_danger));
  return settle_rows();
}

// Erased rows give their space back only when the row store merges them away.
Status Keeper::settle_rows() {
  if (rows_dropped_ < kRowsWorthMerging) return {};
  rows_dropped_ = 0;
  TRY(volume_.rows().compact(kv::Family::kPast, {}));
  return volume_.rows().compact(kv::Family::kChanges, {});
}

Status Keeper::compact_some() {
  const int64_t now = volume_.clock().monotonic_ns();
  bool pressed = false;
  {
    const os::Lock lock(status_mutex_);
    pressed = status_.pressure.any();
  }
  if (pressed) next_pass_ns_ = std::min(next_pass_ns_, now + kUrgentPassNs);
  if (now >= next_pass_ns_) {
    compactor_.begin_pass();
    next_pass_ns_ = now + options_.compaction_pass_ns;
  }
  const uint64_t budget = options_.compaction_bytes_per_tick * (pressed ? kPressureFactor : 1);
  for (uint64_t written = 0; written < budget && !compactor_.idle() && !stopping_;) {
    const CompactionTotals step = TRY(compact_step());
    written += step.bytes_written + step.examined * kBytesPerRow;
  }
  return {};
}

Status Keeper::clean_some() {
  const block::Space space = volume_.blocks().space();
  const uint64_t dead = space.used_bytes - std::min(space.used_bytes, space.live_bytes);
  const bool short_of_room = space.free_bytes < space.capacity_bytes / 20;
  const uint64_t worth = short_of_room ? std::min(options_.clean_bytes, space.used_bytes / 50)
                                       : std::max(options_.clean_bytes,
                                                  space.used_bytes / 100 * options_.dead_percent);
  if (dead == 0 || dead < worth) return {};
  const uint64_t gained = TRY(volume_.blocks().clean(std::min(dead, options_.clean_bytes)));
  const os::Lock lock(status_mutex_);
  status_.bytes_cleaned += gained;
  return {};
}

}  // namespace nacre::keeper
