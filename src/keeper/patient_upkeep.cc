#include "keeper/patient_upkeep.h"

namespace nacre::keeper {

namespace {

constexpr int kAttempts = 4;

}  // namespace

UpkeepOutcome patient_upkeep(fs::Volume& volume,
                             const std::function<Status(meta::CommitBuilder&)>& build,
                             const std::function<void(wire::StateRow&)>& settle) {
  UpkeepOutcome outcome;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    bool built = false;
    outcome.status = volume.upkeep(
        [&](meta::CommitBuilder& builder) {
          Status status = build(builder);
          built = status.ok();
          return status;
        },
        settle);
    const bool busy = built && !outcome.status.ok() && outcome.status.code() == Code::kBusy;
    outcome.maybe_applied = built && !busy;
    if (!busy) return outcome;
    // Once committed, the sharing is a reference like any other: the block is not doomed any more.
    if (auto committed = volume.commit(); !committed.ok()) {
      outcome.status = std::move(committed);
      return outcome;
    }
  }
  return outcome;
}

}  // namespace nacre::keeper
