#include "place/health.h"

#include "place/test_cluster.h"

namespace nacre::place {
namespace {

// One group of 2+2 on devices 1 to 4.
struct Group {
  PgTable table{1, 4, 1};
  std::set<uint32_t> down;

  Group() { set({1, 2, 3, 4}, {0, 0, 0, 0}); }
  void set(const std::vector<uint32_t>& devices, const std::vector<uint32_t>& sources,
           bool stale = false) {
    wire::PlacementGroup group{.stale = stale};
    for (const uint32_t each : devices) group.devices.push_back({each});
    for (const uint32_t each : sources) group.sources.push_back({each});
    table.set_group(0, group);
  }
  PgHealth health() const {
    return health_of(table, 0, {2, 2},
                     [&](DeviceNumber device) { return !down.contains(device.value); });
  }
};

TEST(Health, SinksWithEachDeviceThatIsDown) {
  Group group;
  EXPECT_EQ(group.health(), (PgHealth{4, PgState::kClean}));
  group.down = {2};
  EXPECT_EQ(group.health(), (PgHealth{3, PgState::kDegraded}));
  group.down = {2, 3};
  EXPECT_EQ(group.health(), (PgHealth{2, PgState::kAtRisk}));
  group.down = {2, 3, 4};
  EXPECT_EQ(group.health(), (PgHealth{1, PgState::kUnavailable}));
}

TEST(Health, OfAMovingFragmentIsThatOfItsSource) {
  Group group;
  group.set({1, 2, 3, 4}, {0, 9, 0, 0});
  EXPECT_EQ(group.health(), (PgHealth{4, PgState::kMoving}));
  group.down = {2};
  EXPECT_EQ(group.health(), (PgHealth{4, PgState::kMoving}));
  group.down = {9};
  EXPECT_EQ(group.health(), (PgHealth{3, PgState::kDegraded}));
}

TEST(Health, CountsLostAndUnplacedFragmentsAsMissing) {
  Group group;
  group.set({1, 2, 3, 4}, {kLost.value, 0, 0, 0}, true);
  EXPECT_EQ(group.health(), (PgHealth{3, PgState::kDegraded}));
  group.set({1, 2, 3, 0}, {0, 0, 0, 0});
  EXPECT_EQ(group.health(), (PgHealth{3, PgState::kDegraded}));
}

TEST(Health, OfAStaleGroupIsNeverClean) {
  Group group;
  group.set({1, 2, 3, 4}, {0, 0, 0, 0}, true);
  EXPECT_EQ(group.health(), (PgHealth{4, PgState::kDegraded}));
}

TEST(Health, WithoutParityIsCleanOrUnavailable) {
  const PgTable table = [] {
    PgTable one(1, 1, 1);
    one.devices(0)[0] = {1};
    return one;
  }();
  const auto state = [&](bool up) {
    return health_of(table, 0, {1, 0}, [=](DeviceNumber) { return up; }).state;
  };
  EXPECT_EQ(state(true), PgState::kClean);
  EXPECT_EQ(state(false), PgState::kUnavailable);
}

TEST(Health, OfAPoolCountsItsGroups) {
  PgTable table(1, 3, 4);
  for (uint32_t pg = 0; pg < 4; ++pg) {
    for (uint32_t i = 0; i < 3; ++i) table.devices(pg)[i] = {1 + (pg + i) % 4};
  }
  table.sources(2)[0] = {9};
  const PoolHealth health =
      health_of(table, {1, 2}, [](DeviceNumber device) { return device.value != 4; });
  EXPECT_EQ(health.in(PgState::kClean), 1u);
  EXPECT_EQ(health.in(PgState::kDegraded), 3u);
  EXPECT_EQ(health.fragments_missing, 3u);
  EXPECT_EQ(health.fragments_moving, 1u);
  EXPECT_EQ(health.worst(), PgState::kDegraded);
  EXPECT_EQ(name_of(health.worst()), "degraded");
}

}  // namespace
}  // namespace nacre::place
