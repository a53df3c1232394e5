// The kinds of volume that power cuts are tried on.
#pragma once

#include <string>
#include <vector>

#include "crash/disk_machine.h"
#include "model/variants.h"

namespace nacre::crash {

struct CrashVariant {
  model::Variant model;
  DiskLayout layout;
};

const std::vector<CrashVariant>& crash_variants();
// Each seed has its variant.
const CrashVariant& variant_of(uint64_t seed);

// Plays a script on a new disk. What went wrong and where, or nothing.
std::string play(const CrashVariant& variant, uint64_t seed, const model::Script& script);

// Plays seeds, over all processors. The report of the first that fails, or nothing.
std::string try_crashes(uint64_t first, uint64_t count, size_t steps);

}  // namespace nacre::crash
