// The kinds of volume that power cuts are tried on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crash/disk_machine.h"
#include "model/variants.h"

namespace nacre::crash {

struct CrashVariant {
  model::Variant model;
  DiskLayout layout;
};

const std::vector<CrashVariant>& crash_variants();
// None of that name: null.
const CrashVariant* find_crash_variant(std::string_view name);

// Plays scripts of these seeds, each on a new disk, over all processors. The report of the first
// that fails, or nothing.
std::string try_crashes(const CrashVariant& variant, uint64_t first, uint64_t count, size_t steps);
// Plays one script. What went wrong and where, or nothing.
std::string play(const CrashVariant& variant, uint64_t seed, const model::Script& script);

}  // namespace nacre::crash
