#include "place/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "os/random.h"
#include "place/health.h"
#include "place/layout.h"
#include "place/pool.h"
#include "place/react.h"
#include "place/share.h"
#include "place/shuffle.h"
#include "place/topology.h"

namespace nacre::place {
namespace {

using wire::ClusterMap;
using wire::DeviceState;

class Builder {
 public:
  explicit Builder(const SimulatedCluster& wanted) : wanted_(wanted), random_(wanted.seed) {
    map_.cluster = {1, 1};
    map_.epoch = 1;
    for (uint32_t i = 0; i < wanted.nodes; ++i) add_node();
  }

  void add_node() {
    const auto number = static_cast<uint32_t>(map_.nodes.size());
    const wire::NodeId id{0, number + 1};
    map_.nodes.push_back({.id = id,
                          .zone = fmt::format("zone{}", number % wanted_.zones),
                          .name = fmt::format("node{}", number)});
    for (uint32_t i = 0; i < wanted_.devices_per_node; ++i) {
      const wire::DeviceNumber device = map_.next_device;
      ++map_.next_device.value;
      map_.devices.push_back(
          {.number = device, .id = {1, device.value}, .node = id, .weight_bytes = size()});
    }
  }

  const ClusterMap& map() const { return map_; }

 private:
  uint64_t size() {
    if (wanted_.seed == 0) return wanted_.device_bytes;
    const uint64_t half = wanted_.device_bytes / 2;
    return wanted_.device_bytes - half + random_below(random_, half + 1);
  }

  const SimulatedCluster& wanted_;
  os::SeededRandom random_;
  ClusterMap map_;
};

Status check(const SimulatedCluster& cluster) {
  const uint64_t devices = uint64_t{cluster.nodes} * cluster.devices_per_node;
  if (cluster.nodes == 0 || cluster.devices_per_node == 0 || cluster.zones == 0) {
    return Error(Code::kInvalid, "a cluster has at least one node, one device and one zone");
  }
  if (cluster.zones > cluster.nodes) {
    return Error(Code::kInvalid,
                 fmt::format("{} nodes cannot be in {} zones", cluster.nodes, cluster.zones));
  }
  // One node more is simulated.
  if (cluster.nodes >= wire::kMaxClusterNodes || devices >= wire::kMaxClusterDevices ||
      devices + cluster.devices_per_node > wire::kMaxClusterDevices) {
    return Error(Code::kInvalid, fmt::format("a cluster has fewer than {} nodes and {} devices",
                                             wire::kMaxClusterNodes, wire::kMaxClusterDevices));
  }
  if (cluster.device_bytes == 0 || cluster.device_bytes > wire::kMaxDeviceWeight) {
    return Error(Code::kInvalid,
                 "a device has at least a byte and at most " + format_size(wire::kMaxDeviceWeight));
  }
  if (cluster.pg_count > wire::kPlacements) {
    return Error(Code::kInvalid,
                 fmt::format("there are at most {} placement groups", wire::kPlacements));
  }
  return {};
}

// All nodes for which `is_lost` get failed devices.
template <class IsLost>
ClusterMap without(ClusterMap map, IsLost is_lost) {
  for (wire::ClusterDevice& device : map.devices) {
    if (is_lost(*map.find_node(device.node))) device.state = DeviceState::kFailed;
  }
  return map;
}

SimulatedStep describe(std::string name, const ClusterMap& map, const wire::PgTable& table) {
  const Topology topology(map, table.n());
  const std::vector<double> shares = shares_of(topology);
  std::vector<double> counts(topology.slots());
  SimulatedStep step{.name = std::move(name), .devices = topology.slots()};
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    for (const wire::DeviceNumber device : table.devices(pg)) {
      if (device == wire::kNoDevice) continue;
      ++step.fragments;
      if (const uint32_t slot = topology.slot_of(device); slot != kNoSlot) ++counts[slot];
    }
  }
  if (counts.empty()) return step;
  double sum = 0, squares = 0;
  step.fill.min = INFINITY;
  for (uint32_t slot = 0; slot < topology.slots(); ++slot) {
    const double fill = counts[slot] / (shares[slot] * table.size());
    step.fill.min = std::min(step.fill.min, fill);
    step.fill.max = std::max(step.fill.max, fill);
    sum += fill;
    squares += fill * fill;
  }
  const double mean = sum / topology.slots();
  step.fill.stddev = std::sqrt(std::max(0.0, squares / topology.slots() - mean * mean));
  return step;
}

void describe_moves(const std::vector<Move>& moves, SimulatedStep& step) {
  step.moved = moves.size();
  std::vector<wire::DeviceNumber> receivers;
  for (const Move& move : moves) {
    step.rebuilt += move.reason == MoveReason::kRebuild;
    receivers.push_back(move.to);
  }
  std::ranges::sort(receivers);
  step.receivers =
      static_cast<uint64_t>(std::ranges::unique(receivers).begin() - receivers.begin());
}

class Simulator {
 public:
  Simulator(const SimulatedCluster& cluster, os::Clock& clock, const OnStep& on_step)
      : clock_(clock), on_step_(on_step), cluster_(cluster), builder_(cluster) {
    pool_ = {
        .id = 1, .code = cluster.code, .first_placement = 0, .span_bits = wire::kPlacementBits};
    pool_.pg_count = cluster.pg_count != 0
                         ? cluster.pg_count
                         : choose_pg_count(builder_.map(), cluster.code, wire::kPlacementBits);
  }

  Simulation run() {
    const ClusterMap map = builder_.map();
    begin("initial layout");
    const wire::PgTable table = initial_layout(map, pool_);
    const double seconds_taken = seconds();
    SimulatedStep first = describe(name_, map, table);
    first.seconds = seconds_taken;
    end(std::move(first));
    builder_.add_node();
    react_to("add a node", builder_.map(), table);
    react_to("lose a node",
             without(map, [&](const auto& node) { return node.id == map.nodes[0].id; }), table);
    if (cluster_.zones > 1) {
      react_to("lose a zone",
               without(map, [&](const auto& node) { return node.zone == map.nodes[0].zone; }),
               table);
    }
    simulation_.pg_count = pool_.pg_count;
    simulation_.fragments_per_device = static_cast<double>(simulation_.steps[0].fragments) /
                                       static_cast<double>(simulation_.steps[0].devices);
    return std::move(simulation_);
  }

 private:
  void begin(std::string name) {
    name_ = std::move(name);
    if (on_step_) on_step_(simulation_.steps.size(), cluster_.zones > 1 ? 4 : 3, name_);
    began_ns_ = clock_.monotonic_ns();
  }
  void end(SimulatedStep step) { simulation_.steps.push_back(std::move(step)); }
  double seconds() const { return static_cast<double>(clock_.monotonic_ns() - began_ns_) / 1e9; }

  void react_to(const char* name, ClusterMap map, const wire::PgTable& table) {
    ++map.epoch;
    begin(name);
    const Reaction reaction = react(map, pool_, table);
    const double seconds_taken = seconds();
    SimulatedStep step = describe(name_, map, reaction.table);
    step.seconds = seconds_taken;
    step.moved_min = reaction.moves_min;
    describe_moves(reaction.moves, step);
    step.groups_unavailable = health_of(reaction.table, pool_.code, [](wire::DeviceNumber) {
                                return true;
                              }).in(PgState::kUnavailable);
    end(std::move(step));
  }

  os::Clock& clock_;
  const OnStep& on_step_;
  const SimulatedCluster& cluster_;
  Builder builder_;
  wire::Pool pool_;
  Simulation simulation_;
  std::string name_;
  int64_t began_ns_ = 0;
};

}  // namespace

Result<Simulation> simulate(const SimulatedCluster& cluster, os::Clock& clock,
                            const OnStep& on_step) {
  TRY(check(cluster));
  return Simulator(cluster, clock, on_step).run();
}

}  // namespace nacre::place
