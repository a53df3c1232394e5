#include "place/pool.h"

#include "place/test_cluster.h"

namespace nacre::place {
namespace {

TEST(Pools, GetHalfOfAllPlacementsAndThenSmallParts) {
  TestCluster cluster = TestCluster::of(1, 3, 1);
  const Result<wire::Pool> first = add_pool(cluster.map, {4, 2});
  const Result<wire::Pool> second = add_pool(cluster.map, {1, 2});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, (wire::Pool{1, {4, 2}, 0, 19, 4096}));
  EXPECT_EQ(*second, (wire::Pool{2, {1, 2}, 1u << 19, 14, 4096}));
  EXPECT_EQ(find_pool(cluster.map, {1, 2})->id, 2);
  EXPECT_EQ(find_pool(cluster.map, {1, 3}), nullptr);
  EXPECT_TRUE(validate(cluster.map).ok());
}

TEST(Pools, HaveEachTheirOwnCode) {
  TestCluster cluster;
  ASSERT_TRUE(add_pool(cluster.map, {1, 2}).ok());
  const Result<wire::Pool> again = add_pool(cluster.map, {1, 2});
  EXPECT_EQ(again.code(), Code::kExists);
  EXPECT_EQ(again.error().context(), "pool 1 protects its blocks by 3 copies already");
}

TEST(Pools, RunOutOfPlacements) {
  TestCluster cluster;
  for (uint8_t k = 1; k <= 31; ++k) ASSERT_TRUE(add_pool(cluster.map, {k, 1}).ok());
  ASSERT_TRUE(add_pool(cluster.map, {1, 2}).ok());
  ASSERT_TRUE(add_pool(cluster.map, {1, 3}).ok());
  EXPECT_TRUE(validate(cluster.map).ok());
  const Result<wire::Pool> refused = add_pool(cluster.map, {1, 4});
  EXPECT_EQ(refused.code(), Code::kNoSpace);
  EXPECT_EQ(refused.error().context(),
            "no pool for 5 copies can be made: the 33 pools there are have all placements");
}

TEST(Pools, HaveGroupsForTheirDevices) {
  EXPECT_EQ(choose_pg_count(TestCluster::of(1, 3, 1).map, {1, 2}), 4096u);
  EXPECT_EQ(choose_pg_count(TestCluster::of(10, 10, 10).map, {4, 2}), 65536u);
  EXPECT_EQ(choose_pg_count(TestCluster::of(10, 10, 10).map, {4, 2}, 14), 16384u);
  EXPECT_EQ(choose_pg_count(TestCluster::of(10, 100, 30).map, {1, 2}), 1u << 19);
}

TEST(Pools, OfAMapThatContradictsItselfAreRefused) {
  TestCluster cluster = TestCluster::of(1, 1, 1);
  cluster.map.devices[0].node = {5, 5};
  const Status status = validate(cluster.map);
  EXPECT_EQ(status.code(), Code::kInvalid);
  EXPECT_EQ(status.error().context(),
            "the cluster map contradicts itself: device 1 is on a node that there is not");
}

}  // namespace
}  // namespace nacre::place
