// One seed: a variant, a script, and a report if it fails.
#pragma once

#include <cstdint>
#include <string>

#include "model/operation.h"
#include "model/variants.h"

namespace nacre::model {

// The script of a seed.
Script script_of(const Variant& variant, uint64_t seed, size_t steps);
// Plays it in a process of its own. What went wrong and where, or nothing.
std::string play(const Variant& variant, const Script& script);
// Plays the seed; a failing script is shrunk. The report says how to see it again; empty when all
// is well.
std::string try_seed(const Variant& variant, uint64_t seed, size_t steps);

}  // namespace nacre::model
