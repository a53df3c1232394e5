// One seed: a script, played on a machine, and a report if it fails.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "model/machine.h"
#include "model/operation.h"
#include "model/variants.h"

namespace nacre::model {

// The script of a seed.
Script script_of(const Variant& variant, uint64_t seed, size_t steps);
// Plays it on a machine that is not open yet. What went wrong and where, or nothing.
std::string play_on(Machine& machine, const Variant& variant, const Script& script);
// The same on a machine in memory.
std::string play(const Variant& variant, const Script& script);

// A failing script, shrunk: `play_again` is asked in processes of its own, about `most_plays`
// times.
std::string report_of(const std::string& what, const Script& script, size_t most_plays,
                      const std::function<std::string(const Script&)>& play_again);

// Plays seeds on machines in memory, over all processors. The report of the first that fails, or
// nothing.
std::string try_seeds(const Variant& variant, uint64_t first, uint64_t count, size_t steps);

}  // namespace nacre::model
