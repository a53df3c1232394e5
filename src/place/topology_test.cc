#include "place/topology.h"

#include "place/test_cluster.h"

namespace nacre::place {
namespace {

TEST(Topology, KeepsNodesAndZonesTogether) {
  const TestCluster cluster = TestCluster::of(3, 2, 4);
  const Topology topology(cluster.map, 3);
  ASSERT_EQ(topology.slots(), 24u);
  EXPECT_EQ(topology.nodes().size(), 6u);
  EXPECT_EQ(topology.zones().size(), 3u);
  for (uint32_t slot = 0; slot < 24; ++slot) {
    EXPECT_EQ(topology.slot_of(topology.device(slot)), slot);
    EXPECT_EQ(topology.node_of(slot), slot / 4);
    EXPECT_EQ(topology.zone_of(slot), slot / 8);
    EXPECT_TRUE(topology.nodes()[slot / 4].contains(slot));
    EXPECT_TRUE(topology.zones()[slot / 8].contains(slot));
  }
}

TEST(Topology, LeavesOutWhatIsNotUsable) {
  TestCluster cluster = TestCluster::of(1, 5, 1);
  cluster.set({1}, DeviceState::kLeaving);
  cluster.set({2}, DeviceState::kFailed);
  cluster.device({3}).weight_bytes = 0;
  const Topology topology(cluster.map, 3);
  EXPECT_EQ(topology.slots(), 2u);
  EXPECT_EQ(topology.nodes().size(), 2u);
  EXPECT_EQ(topology.slot_of({1}), kNoSlot);
  EXPECT_TRUE(topology.is_readable({1}));
  EXPECT_FALSE(topology.is_readable({2}));
  EXPECT_TRUE(topology.is_readable({3}));
  EXPECT_FALSE(topology.is_readable({99}));
  EXPECT_EQ(topology.capacity(), 2u);
}

struct Caps {
  unsigned node, zone, capacity;
  friend bool operator==(const Caps&, const Caps&) = default;
  friend void PrintTo(const Caps& caps, std::ostream* out) {
    *out << caps.node << " " << caps.zone << " " << caps.capacity;
  }
};

Caps caps_of(const TestCluster& cluster, unsigned n) {
  const Topology topology(cluster.map, n);
  return {topology.node_cap(), topology.zone_cap(), topology.capacity()};
}

TEST(Topology, SpreadsAsFarAsItCan) {
  EXPECT_EQ(caps_of(TestCluster::of(6, 1, 1), 6), (Caps{1, 1, 6}));
  EXPECT_EQ(caps_of(TestCluster::of(3, 4, 2), 6), (Caps{1, 2, 6}));
  EXPECT_EQ(caps_of(TestCluster::of(4, 4, 2), 6), (Caps{1, 2, 6}));
  EXPECT_EQ(caps_of(TestCluster::of(1, 4, 2), 6), (Caps{2, 6, 6}));
  EXPECT_EQ(caps_of(TestCluster::of(1, 1, 9), 6), (Caps{6, 6, 6}));
  EXPECT_EQ(caps_of(TestCluster::of(2, 2, 1), 6), (Caps{1, 2, 4}));
  EXPECT_EQ(caps_of(TestCluster::of(0, 0, 0), 6), (Caps{1, 1, 0}));
}

TEST(Topology, PrefersDistinctNodesToEvenZones) {
  TestCluster cluster = TestCluster::of(1, 1, 9);
  for (int i = 0; i < 5; ++i) cluster.add_node(1, 1);
  EXPECT_EQ(caps_of(cluster, 4), (Caps{1, 3, 4}));  // one in the small zone, three in the other
}

}  // namespace
}  // namespace nacre::place
