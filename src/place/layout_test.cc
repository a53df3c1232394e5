#include "place/layout.h"

#include "os/random.h"
#include "place/shuffle.h"
#include "place/test_cluster.h"

namespace nacre::place {
namespace {

TEST(InitialLayout, KeepsTheRulesAndTheBalance) {
  struct Case {
    unsigned zones, nodes, devices;
    codec::ErasureCode code;
  };
  for (const Case& each : {Case{1, 1, 1, {1, 0}},
                           {1, 3, 1, {1, 2}},
                           {3, 1, 2, {1, 2}},
                           {3, 5, 4, {4, 2}},
                           {1, 6, 1, {4, 2}},
                           {1, 2, 8, {4, 2}},
                           {5, 7, 3, {8, 3}},
                           {40, 1, 1, {20, 12}},
                           {2, 20, 6, {10, 4}}}) {
    const TestCluster cluster = TestCluster::of(each.zones, each.nodes, each.devices);
    for (const uint32_t pg_count : {1u, 3u, 64u, 1000u}) {
      const PgTable table = initial_layout(cluster.map, pool_of(each.code, pg_count));
      EXPECT_TRUE(keeps_rules(cluster.map, table)) << each.zones << " " << pg_count;
      EXPECT_TRUE(is_balanced(cluster.map, table)) << each.zones << " " << pg_count;
      EXPECT_EQ(table.epoch(0), 1u);
    }
  }
}

TEST(InitialLayout, OfRandomClustersDoesSoToo) {
  for (int seed = 1; seed <= seeds_or(100); ++seed) {
    os::SeededRandom random(static_cast<uint64_t>(seed));
    const auto below = [&](uint64_t bound) { return random_below(random, bound); };
    TestCluster cluster;
    for (uint64_t zones = 1 + below(5), zone = 0; zone < zones; ++zone) {
      for (uint64_t nodes = 1 + below(5); nodes > 0; --nodes) {
        const auto node = cluster.add_node(static_cast<unsigned>(zone), 0);
        for (uint64_t devices = below(5); devices > 0; --devices) {
          cluster.add_device(node, kTiB / (1 + below(20)));
        }
      }
    }
    const codec::ErasureCode code{static_cast<uint8_t>(1 + below(8)),
                                  static_cast<uint8_t>(below(5))};
    const wire::Pool pool = pool_of(code, static_cast<uint32_t>(1 + below(600)));
    const PgTable table = initial_layout(cluster.map, pool);
    ASSERT_TRUE(keeps_rules(cluster.map, table)) << seed;
    // One for each of zone, node and device.
    ASSERT_TRUE(is_balanced(cluster.map, table, 2.0)) << seed;
    ASSERT_EQ(table, initial_layout(cluster.map, pool));
  }
}

TEST(InitialLayout, LeavesTheLastPositionsEmptyWhereDevicesAreFew) {
  const TestCluster cluster = TestCluster::of(1, 2, 2);
  const PgTable table = initial_layout(cluster.map, pool_of({4, 2}, 16));
  for (uint32_t pg = 0; pg < 16; ++pg) {
    for (unsigned i = 0; i < 6; ++i) EXPECT_EQ(table.devices(pg)[i] == kNoDevice, i >= 4);
  }
  EXPECT_TRUE(keeps_rules(cluster.map, table));
  EXPECT_TRUE(
      keeps_rules({.cluster = {1, 1}}, initial_layout({.cluster = {1, 1}}, pool_of({4, 2}, 16))));
}

TEST(InitialLayout, LetsEveryDeviceMeetMostOthers) {
  const TestCluster cluster = TestCluster::of(1, 60, 1);
  const PgTable table = initial_layout(cluster.map, pool_of({4, 2}, 2000));
  std::set<DeviceNumber> met;
  std::vector<int> as_first(61);
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    const auto devices = table.devices(pg);
    ++as_first[devices[0].value];
    if (std::ranges::find(devices, DeviceNumber{1}) == devices.end()) continue;
    met.insert(devices.begin(), devices.end());
  }
  EXPECT_GE(met.size(), 59u);  // 200 groups of five others each
  for (size_t i = 1; i < as_first.size(); ++i) EXPECT_NEAR(as_first[i], 2000.0 / 60, 25) << i;
}

}  // namespace
}  // namespace nacre::place
