#include "place/share.h"

#include <numeric>

#include "place/test_cluster.h"

namespace nacre::place {
namespace {

std::vector<double> shares(const TestCluster& cluster, unsigned n) {
  std::vector<double> rounded;
  for (const double share : shares_of(Topology(cluster.map, n))) {
    rounded.push_back(std::round(share * 1000) / 1000);
  }
  return rounded;
}

using Shares = std::vector<double>;

TEST(Shares, AreInProportionToWeight) {
  TestCluster cluster = TestCluster::of(1, 4, 1);
  EXPECT_EQ(shares(cluster, 2), (Shares{0.5, 0.5, 0.5, 0.5}));
  cluster.device({1}).weight_bytes = 2 * kTiB;
  EXPECT_EQ(shares(cluster, 2), (Shares{0.8, 0.4, 0.4, 0.4}));
}

TEST(Shares, OfADeviceAreAtMostOneFragmentOfEachGroup) {
  TestCluster cluster = TestCluster::of(1, 4, 1);
  cluster.device({1}).weight_bytes = 100 * kTiB;
  EXPECT_EQ(shares(cluster, 2), (Shares{1, 0.333, 0.333, 0.333}));
  EXPECT_EQ(shares(cluster, 4), (Shares{1, 1, 1, 1}));
  EXPECT_EQ(shares(cluster, 6), (Shares{1, 1, 1, 1}));
}

TEST(Shares, OfANodeAndOfAZoneAreCappedToo) {
  TestCluster cluster = TestCluster::of(1, 3, 1);
  cluster.add_node(0, 4);  // four of seven devices, but one fragment of each group at most
  EXPECT_EQ(shares(cluster, 3), (Shares{0.667, 0.667, 0.667, 0.25, 0.25, 0.25, 0.25}));
  TestCluster zones = TestCluster::of(1, 1, 1);
  zones.add_node(1, 1);
  zones.add_node(2, 1);
  zones.add_node(2, 1);
  EXPECT_EQ(shares(zones, 3), (Shares{1, 1, 0.5, 0.5}));
}

TEST(Targets, AreSharesRoundedEitherWay) {
  const TestCluster cluster = TestCluster::of(2, 5, 3);
  const Topology topology(cluster.map, 4);
  const std::vector<uint32_t> targets = targets_of(topology, 101, std::vector<uint32_t>(30));
  EXPECT_EQ(std::accumulate(targets.begin(), targets.end(), 0u), 404u);
  for (const uint32_t target : targets) EXPECT_TRUE(target == 13 || target == 14) << target;
}

TEST(Targets, AreRoundedTowardsWhatIsThere) {
  const TestCluster cluster = TestCluster::of(1, 4, 1);
  const Topology topology(cluster.map, 1);
  EXPECT_EQ(targets_of(topology, 6, std::vector<uint32_t>{1, 2, 1, 2}),
            (std::vector<uint32_t>{1, 2, 1, 2}));
  EXPECT_EQ(targets_of(topology, 6, std::vector<uint32_t>{2, 2, 1, 1}),
            (std::vector<uint32_t>{2, 2, 1, 1}));
  EXPECT_EQ(targets_of(topology, 6, std::vector<uint32_t>{0, 0, 6, 0}),
            (std::vector<uint32_t>{2, 1, 2, 1}));
}

}  // namespace
}  // namespace nacre::place
