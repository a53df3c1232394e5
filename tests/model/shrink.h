// Makes a failing script as small as it can: drops chunks of operations, then single ones, then
// makes their numbers smaller.
#pragma once

#include <functional>

#include "model/operation.h"

namespace nacre::model {

// A script that still fails, and no operation of which can be dropped. `fails` is asked at most
// `most_runs` times; the script given fails.
Script shrink(Script script, const std::function<bool(const Script&)>& fails, size_t most_runs);

}  // namespace nacre::model
