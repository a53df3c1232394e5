#include "keeper/retention.h"

#include <algorithm>

#include "keeper/patient_upkeep.h"
#include "meta/moments.h"

namespace nacre::keeper {

namespace {

constexpr int64_t kDayNs = int64_t{24} * 3600 * 1'000'000'000;

// Stored times are anybody's guess: the difference stops at the largest there is.
int64_t passed(Timestamp from, Timestamp to) {
  int64_t ns = 0;
  if (__builtin_sub_overflow(to.ns, from.ns, &ns)) return to > from ? INT64_MAX : INT64_MIN;
  return ns;
}

}  // namespace

Policy policy_of(const wire::StateRow& state) {
  return {state.keep_ns, state.history_budget_percent};
}

Status set_policy(fs::Volume& volume, const Policy& policy) {
  if (policy.history_budget_percent > 100) {
    return Error(Code::kInvalid, "the history budget is a percentage of the capacity: 0 to 100");
  }
  volume.change_state([&](wire::StateRow& state) {
    state.keep_ns = policy.keep_ns;
    state.history_budget_percent = policy.history_budget_percent;
  });
  return volume.commit();
}

Result<Sequence> keep_limit(fs::Volume& volume, Timestamp now) {
  const wire::StateRow state = volume.state();
  const auto keep = static_cast<int64_t>(std::min(state.keep_ns, uint64_t{INT64_MAX}));
  meta::When when;
  when.kind = meta::When::Kind::kTime;
  when.time = {now.ns < INT64_MIN + keep ? INT64_MIN : now.ns - keep};
  auto limit = meta::resolve(volume.rows(), when);
  if (limit.ok()) return std::max(*limit, state.floor);
  if (limit.code() == Code::kBelowFloor || limit.code() == Code::kNotFound) return state.floor;
  return limit;
}

Status delete_snapshot(fs::Volume& volume, std::string_view name) {
  TRY(volume.commit());  // it may have been made a moment ago
  Sequence pinned;
  return patient_upkeep(
             volume,
             [&](meta::CommitBuilder& builder) -> Status {
               const auto snapshot = TRY(meta::find_snapshot(volume.rows(), name));
               if (!snapshot) {
                 return Error(Code::kNotFound,
                              "there is no snapshot named '" + std::string(name) + "'");
               }
               pinned = snapshot->sequence;
               builder.put_volume(wire::snapshot_key(name), std::nullopt);
               return {};
             },
             // What it pinned ended after it.
             [&](wire::StateRow& state) {
               state.pruned = std::min(state.pruned, Sequence{pinned.value - (pinned.value > 0)});
             })
      .status;
}

bool leapt_while_open(Timestamp wall_before, int64_t monotonic_before_ns, Timestamp wall,
                      int64_t monotonic_ns) {
  const int64_t counted_ns = monotonic_ns - monotonic_before_ns;
  return passed(Timestamp{wall_before.ns + counted_ns}, wall) > kDayNs;
}

bool leapt_while_closed(Timestamp last_commit, Timestamp wall, uint64_t keep_ns) {
  const uint64_t half = std::min(keep_ns / 2, uint64_t{INT64_MAX});
  return passed(last_commit, wall) > std::max(kDayNs, static_cast<int64_t>(half));
}

ClockWatch::ClockWatch(fs::Volume& volume) : volume_(volume) {
  const Timestamp now = volume.clock().now();
  const wire::StateRow state = volume.state();
  if (state.committed.value > 1 && leapt_while_closed(state.time, now, state.keep_ns)) doubt();
  const os::Lock lock(mutex_);
  wall_ = now;
  monotonic_ns_ = volume.clock().monotonic_ns();
}

void ClockWatch::doubt() {
  if (volume_.settings().read_only || volume_.state().clock_suspect) return;
  volume_.change_state([](wire::StateRow& state) { state.clock_suspect = true; });
}

bool ClockWatch::suspect() {
  bool leapt = false;
  {
    const os::Lock lock(mutex_);
    leapt = leapt_while_open(wall_, monotonic_ns_, volume_.clock().now(),
                             volume_.clock().monotonic_ns());
  }
  if (leapt) doubt();
  return volume_.state().clock_suspect;
}

Status ClockWatch::confirm() {
  {
    const os::Lock lock(mutex_);
    wall_ = volume_.clock().now();
    monotonic_ns_ = volume_.clock().monotonic_ns();
  }
  volume_.change_state([](wire::StateRow& state) { state.clock_suspect = false; });
  return volume_.commit();
}

}  // namespace nacre::keeper
