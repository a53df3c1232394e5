#include "keeper/keeper.h"

#include <algorithm>
#include <chrono>

#include "keeper/low_priority.h"

namespace nacre::keeper {

namespace {

constexpr int kInlineStepsPerTick = 16;
constexpr int kPruneStepsPerTick = 20;
constexpr uint64_t kPressureFactor = 8;             // for compaction
constexpr int64_t kTicksAfterFailure = 10;          // until the next round
constexpr uint64_t kRowsWorthCompacting = 200'000;  // dropped, before the row store is asked to shrink
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
  stopping_ = false;
  thread_ = os::Thread("nacre-keeper", [this] { loop(); });
}

void Keeper::stop() {
  {
    const os::Lock lock(wake_mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
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
  for (const auto duty : {&Keeper::move_inline, &Keeper::prune_leftovers, &Keeper::relieve,
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

Status Keeper::move_inline() {
  for (int i = 0; i < kInlineStepsPerTick && !stopping_; ++i) {
    const auto step = TRY(inline_mover_.step());
    const os::Lock lock(status_mutex_);
    status_.inline_bytes_moved += step.bytes;
    if (!step.more) break;
  }
  return {};
}

Result<PruneStep> Keeper::prune_step(Sequence floor) {
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

Result<CompactionTotals> Keeper::compact_step() {
  const CompactionTotals step = TRY(compactor_.step());
  const os::Lock lock(status_mutex_);
  status_.blocks_compacted += step.blocks_freed;
  status_.compaction_bytes_written += step.bytes_written;
  status_.compaction_bytes_freed += step.bytes_freed;
  status_.blocks_damaged += step.damaged;
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

// Prunes towards `limit`, and compacts what that left sparse, until there is enough or no more to gain.
Status Keeper::give_up_history(Sequence limit, const std::function<bool()>& enough) {
  while (!enough() && !stopping_) {
    const PruneStep step = TRY(prune_step(limit));
    // Without room for copies, compaction waits until pruning alone made some.
    while (!compactor_.idle() && !enough()) {
      const auto compacted = compact_step();
      if (!compacted.ok() && compacted.code() != Code::kNoSpace) return compacted.error();
      if (!compacted.ok()) break;
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
    return !pressure.any() || ++steps > kPruneStepsPerTick;
  };
  TRY(give_up_history(TRY(age_limit()), relieved));
  const auto out_of_danger = [&] { return relieved() || !pressure.critical; };
  TRY(give_up_history(volume_.committed(), out_of_danger));
  return settle_rows();
}

// Erased rows give their space back only when the row store merges them away.
Status Keeper::settle_rows() {
  if (rows_dropped_ < kRowsWorthCompacting) return {};
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
    written += std::max<uint64_t>(step.bytes_written, step.examined);  // looking costs, too
  }
  return {};
}

Status Keeper::clean_some() {
  const block::Space space = volume_.blocks().space();
  const uint64_t dead = space.used_bytes - std::min(space.used_bytes, space.live_bytes);
  const bool short_of_room = space.free_bytes < space.capacity_bytes / 20;
  const uint64_t worth = short_of_room
                             ? std::min(options_.clean_bytes, space.used_bytes / 50)
                             : std::max(options_.clean_bytes,
                                        space.used_bytes / 100 * options_.dead_percent);
  if (dead == 0 || dead < worth) return {};
  const uint64_t gained = TRY(volume_.blocks().clean(std::min(dead, options_.clean_bytes)));
  const os::Lock lock(status_mutex_);
  status_.bytes_cleaned += gained;
  return {};
}

// What is older than keep first, then the rest.
Status Keeper::give_up_all(const std::function<bool()>& enough) {
  TRY(give_up_history(TRY(age_limit()), enough));
  return give_up_history(volume_.committed(), enough);
}

uint64_t Keeper::reclaim(uint64_t wanted_bytes) {
  const os::Lock duty(duty_mutex_);
  const uint64_t before = free_bytes(volume_.usage());
  uint64_t gained = 0;
  const auto enough = [&] {
    const uint64_t free = free_bytes(volume_.usage());
    gained = free - std::min(free, before);
    return gained >= wanted_bytes;
  };
  const Status status = give_up_all(enough);
  if (!status.ok()) {
    const os::Lock lock(status_mutex_);
    status_.last_error = status.error().to_string();
  }
  (void)enough();
  return gained;
}

Result<PruneTotals> Keeper::prune(Sequence floor,
                                  const std::function<bool(const PruneTotals&)>& go_on) {
  PruneTotals totals;
  while (!totals.done) {
    {
      const os::Lock duty(duty_mutex_);
      const PruneStep step = TRY(prune_step(floor));
      totals.visited += step.visited;
      totals.dropped += step.dropped;
      totals.pinned += step.pinned;
      totals.done = step.done;
    }
    if (go_on && !go_on(totals)) break;
  }
  return totals;
}

Result<PruneTotals> Keeper::prune_to_policy(const std::function<bool(const PruneTotals&)>& go_on) {
  if (clock_watch_.suspect()) {
    return Error(Code::kBusy,
                 "the clock leapt forward: confirm the time with nacre retention confirm-clock");
  }
  return prune(TRY(age_limit()), go_on);
}

Result<CompactionTotals> Keeper::compact(
    const std::function<bool(const CompactionTotals&)>& go_on) {
  CompactionTotals totals;
  {
    const os::Lock duty(duty_mutex_);
    compactor_.begin_pass();
  }
  for (bool more = true; more;) {
    {
      const os::Lock duty(duty_mutex_);
      totals.add(TRY(compact_step()));
      more = !compactor_.idle();
    }
    if (go_on && !go_on(totals)) break;
  }
  return totals;
}

Result<Forgotten> Keeper::forget(InodeId ino, const ForgetOptions& options,
                                 const std::function<bool(const Forgotten&)>& go_on) {
  const os::Lock duty(duty_mutex_);
  return keeper::forget(volume_, compactor_, ino, options, go_on);
}

Result<CheckSummary> Keeper::check(CheckOptions options, const CheckProgress& progress,
                                   const CheckReport& report) {
  options.exclusively = [this](const std::function<Status()>& body) {
    const os::Lock duty(duty_mutex_);
    return body();
  };
  return keeper::check(volume_, options, progress, report);
}

}  // namespace nacre::keeper
