#include "place/simulate.h"

#include <gtest/gtest.h>

namespace nacre::place {
namespace {

std::string fault_of(const SimulatedCluster& cluster) {
  os::ManualClock clock;
  const Result<Simulation> refused = simulate(cluster, clock);
  EXPECT_EQ(refused.code(), Code::kInvalid);
  return refused.error().context();
}

TEST(Simulate, ShowsBalanceAndLeastMoves) {
  for (const uint64_t seed : {0, 7}) {
    os::ManualClock clock;
    std::vector<std::string> names;
    const auto simulation =
        simulate({.nodes = 60, .devices_per_node = 5, .zones = 5, .code = {4, 2}, .seed = seed},
                 clock, [&](size_t step, size_t steps, const std::string& name) {
                   EXPECT_EQ(step, names.size());
                   EXPECT_EQ(steps, 4u);
                   names.push_back(name);
                 });
    ASSERT_TRUE(simulation.ok());
    EXPECT_EQ(names, (std::vector<std::string>{"initial layout", "add a node", "lose a node",
                                               "lose a zone"}));
    EXPECT_EQ(simulation->pg_count, 16384u);
    for (const SimulatedStep& step : simulation->steps) {
      EXPECT_GT(step.fill.min, 0.98) << step.name;
      EXPECT_LT(step.fill.max, 1.02) << step.name;
      EXPECT_LE(static_cast<double>(step.moved), static_cast<double>(step.moved_min) * 1.05);
      EXPECT_EQ(step.groups_unavailable, 0u);
    }
    EXPECT_EQ(simulation->steps[1].receivers, 5u);
    EXPECT_EQ(simulation->steps[2].receivers, 295u);
    EXPECT_EQ(simulation->steps[3].devices, 240u);
    EXPECT_EQ(simulation->steps[3].rebuilt, simulation->steps[3].moved);
  }
}

TEST(Simulate, CountsGroupsThatALostZoneTakesAlong) {
  os::ManualClock clock;
  const auto simulation = simulate({.nodes = 6, .zones = 2, .code = {4, 2}}, clock);
  EXPECT_EQ(simulation->steps[3].groups_unavailable, simulation->pg_count);
}

TEST(Simulate, RefusesClustersThatThereCannotBe) {
  EXPECT_EQ(fault_of({.nodes = 0}), "a cluster has at least one node, one device and one zone");
  EXPECT_EQ(fault_of({.nodes = 2, .zones = 3}), "2 nodes cannot be in 3 zones");
  EXPECT_EQ(fault_of({.nodes = 1u << 16}),
            "a cluster has fewer than 65536 nodes and 1048576 devices");
  EXPECT_EQ(fault_of({.device_bytes = 0}), "a device has at least a byte and at most 1.00 PiB");
  EXPECT_EQ(fault_of({.pg_count = 1u << 21}), "there are at most 1048576 placement groups");
}

}  // namespace
}  // namespace nacre::place
