// Upkeep of a volume that gives way to its users.
#pragma once

#include <functional>

#include "fs/volume.h"

namespace nacre::keeper {

struct UpkeepOutcome {
  Status status;
  // Whether rows may have changed: true on success, and where writing them failed half-way.
  bool maybe_applied = false;
};

// As Volume::upkeep(). Where a block to be doomed is being shared, it commits what shares it and
// tries again, a few times: `build` is called anew each time and must begin from nothing. Call
// without locks.
UpkeepOutcome patient_upkeep(fs::Volume& volume,
                             const std::function<Status(meta::CommitBuilder&)>& build,
                             const std::function<void(wire::StateRow&)>& settle = {});

}  // namespace nacre::keeper
