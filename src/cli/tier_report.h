// What `nacre tier status` says, from the service's answer. Pure functions.
#pragma once

#include <string>

#include "node/json.h"

namespace nacre::cli {

// For people, one line each.
std::string tier_text(const node::Json& status);
// For Prometheus, each sample with the label volume: docs/operations.md has the names.
std::string tier_metrics(const node::Json& status, const std::string& volume);

}  // namespace nacre::cli
