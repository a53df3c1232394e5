// What `nacre cluster simulate` says, to people and to scripts. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "node/json.h"
#include "place/durability.h"
#include "place/simulate.h"

namespace nacre::cli {

struct SimulatedReport {
  place::SimulatedCluster cluster;
  place::Simulation simulation;
  // Absent where the code needs more devices than there are.
  std::optional<place::Durability> durability;
  double annual_failure_rate = 0;
  uint64_t rebuild_bytes_per_second = 0;
};

// Lines and tables under headings, bold where `bold`.
std::string text_of(const SimulatedReport& report, bool bold);
// One object: "cluster", "steps" and "durability", which is null where there is none. Fields may be
// added, never changed.
node::Json json_of(const SimulatedReport& report);

// "2%", "0.5 %" or "0.02" → 0.02. kInvalid for what is no part of a whole.
Result<double> parse_part(const std::string& text);
// 0.25 → "15 min", 30 → "30 h", 1e6 → "114 years", 1e30 → "1.1e+26 years".
std::string hours_text(double hours);

}  // namespace nacre::cli
