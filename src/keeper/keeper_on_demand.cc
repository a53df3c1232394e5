// What others ask of the keeper.
#include <algorithm>

#include "keeper/keeper.h"

namespace nacre::keeper {

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
