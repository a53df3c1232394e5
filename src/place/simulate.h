// A cluster on paper: how even its placement is, and what moves when nodes join or are lost.
// Nothing is stored or sent; only the functions of place run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "codec/erasure_code.h"
#include "os/clock.h"

namespace nacre::place {

struct SimulatedCluster {
  uint32_t nodes = 12;
  uint32_t devices_per_node = 10;
  uint32_t zones = 3;  // the nodes are dealt out to them
  codec::ErasureCode code{4, 2};
  uint64_t device_bytes = 8 * kTiB;
  // 0: all devices alike. Else each has between half the size and the whole, at random.
  uint64_t seed = 0;
  uint32_t pg_count = 0;  // 0: as choose_pg_count() says for all placements
};

// How many fragments devices hold, as parts of what would be their share: 1 is exactly that.
struct Fill {
  double min = 0;
  double max = 0;
  double stddev = 0;
};

struct SimulatedStep {
  std::string name;  // "add a node"
  Fill fill = {};
  uint64_t devices = 0;    // usable ones
  uint64_t fragments = 0;  // of all groups, as moved and minimum below
  uint64_t moved = 0;
  uint64_t moved_min = 0;
  uint64_t rebuilt = 0;  // of those moved
  // How many devices take part in writing what moves.
  uint64_t receivers = 0;
  uint64_t groups_unavailable = 0;  // until what was lost is back
  double seconds = 0;               // for the calculation
};

struct Simulation {
  uint32_t pg_count = 0;
  double fragments_per_device = 0;
  std::vector<SimulatedStep> steps;
};

// Called before each step with its number, how many there are and its name.
using OnStep = std::function<void(size_t, size_t, const std::string&)>;

// The first table, and then one after another, each from the first table: a node more, a node less,
// a zone less. kInvalid for a cluster that there cannot be. Takes tens of seconds for 100,000
// devices.
Result<Simulation> simulate(const SimulatedCluster& cluster, os::Clock& clock,
                            const OnStep& on_step = {});

}  // namespace nacre::place
