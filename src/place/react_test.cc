#include "place/react.h"

#include "place/layout.h"
#include "place/test_cluster.h"

namespace nacre::place {
namespace {

// A cluster with a table that follows its changes.
struct Placed : TestCluster {
  Placed(TestCluster cluster, codec::ErasureCode code, uint32_t pg_count)
      : TestCluster(std::move(cluster)), pool(pool_of(code, pg_count)) {
    table = initial_layout(map, pool);
  }

  // What follows from a change of the map. Checks what always holds.
  Reaction react() {
    ++map.epoch;
    Reaction reaction = place::react(map, pool, table);
    EXPECT_TRUE(keeps_rules(map, reaction.table));
    EXPECT_TRUE(is_balanced(map, reaction.table));
    EXPECT_TRUE(place::react(map, pool, reaction.table).moves.empty());
    EXPECT_EQ(place::react(map, pool, table).moves, reaction.moves);
    table = reaction.table;
    return reaction;
  }

  uint32_t held_by(DeviceNumber number) const {
    uint32_t count = 0;
    for (uint32_t pg = 0; pg < table.size(); ++pg) {
      count += static_cast<uint32_t>(std::ranges::count(table.devices(pg), number));
    }
    return count;
  }

  wire::Pool pool;
  PgTable table;
};

using Reasons = std::set<MoveReason>;
Reasons reasons_of(const Reaction& reaction) {
  Reasons reasons;
  for (const Move& move : reaction.moves) reasons.insert(move.reason);
  return reasons;
}

TEST(React, MovesNothingWhenNothingChanged) {
  Placed cluster(TestCluster::of(3, 4, 3), {4, 2}, 600);
  const PgTable before = cluster.table;
  EXPECT_TRUE(cluster.react().moves.empty());
  EXPECT_EQ(cluster.table, before);
}

TEST(React, RebuildsWhatAFailedDeviceHeldOnAllOthers) {
  Placed cluster(TestCluster::of(1, 20, 2), {4, 2}, 1000);
  const uint32_t held = cluster.held_by({7});
  cluster.set({7}, DeviceState::kFailed);
  const Reaction reaction = cluster.react();
  EXPECT_EQ(reaction.moves.size(), held);
  EXPECT_EQ(reaction.moves_min, held);
  std::map<DeviceNumber, int> written;
  for (const Move& move : reaction.moves) {
    EXPECT_EQ(move.reason, MoveReason::kRebuild);
    EXPECT_EQ(move.from, kNoDevice);
    EXPECT_TRUE(cluster.table.stale(move.pg));
    EXPECT_EQ(cluster.table.epoch(move.pg), 2u);
    EXPECT_EQ(cluster.table.sources(move.pg)[move.position], kLost);
    EXPECT_EQ(cluster.table.devices(move.pg)[move.position], move.to);
    ++written[move.to];
  }
  EXPECT_GE(written.size(), 36u);  // the other device of its node gets a share, too
  for (const auto& [device, count] : written) EXPECT_LE(count, 6) << device.value;
}

TEST(React, TreatsADeviceThatIsGoneAsFailed) {
  Placed cluster(TestCluster::of(1, 8, 1), {4, 2}, 200);
  const uint32_t held = cluster.held_by({3});
  cluster.remove({3});
  EXPECT_EQ(cluster.react().moves.size(), held);
}

TEST(React, DrainsALeavingDeviceAndRemembersItAsSource) {
  Placed cluster(TestCluster::of(2, 5, 2), {1, 2}, 500);
  const uint32_t held = cluster.held_by({4});
  cluster.set({4}, DeviceState::kLeaving);
  const Reaction reaction = cluster.react();
  EXPECT_EQ(reaction.moves.size(), held);
  EXPECT_EQ(reasons_of(reaction), Reasons{MoveReason::kDrain});
  EXPECT_EQ(cluster.held_by({4}), 0u);
  for (const Move& move : reaction.moves) {
    EXPECT_EQ(move.from, DeviceNumber{4});
    EXPECT_EQ(cluster.table.sources(move.pg)[move.position], DeviceNumber{4});
    EXPECT_FALSE(cluster.table.stale(move.pg));
  }
}

TEST(React, CancelsMovesOfADeviceThatStays) {
  Placed cluster(TestCluster::of(2, 5, 2), {1, 2}, 500);
  const PgTable before = cluster.table;
  cluster.set({4}, DeviceState::kLeaving);
  const size_t moved = cluster.react().moves.size();
  cluster.set({4}, DeviceState::kIn);
  const Reaction back = cluster.react();
  EXPECT_TRUE(back.moves.empty());
  EXPECT_EQ(back.cancelled, moved);
  for (uint32_t pg = 0; pg < before.size(); ++pg) {
    EXPECT_TRUE(std::ranges::equal(cluster.table.devices(pg), before.devices(pg)));
  }
}

TEST(React, TakesForANewDeviceNoMoreThanItsShare) {
  Placed cluster(TestCluster::of(1, 20, 1), {4, 2}, 1000);
  const auto node = cluster.add_node(0, 1);
  const Reaction reaction = cluster.react();
  EXPECT_NEAR(static_cast<double>(reaction.moves.size()), 6000.0 / 21, 1);
  EXPECT_EQ(reaction.moves.size(), reaction.moves_min);
  EXPECT_EQ(reasons_of(reaction), Reasons{MoveReason::kBalance});
  for (const Move& move : reaction.moves) {
    EXPECT_EQ(cluster.map.find_device(move.to)->node, node);
    EXPECT_NE(move.from, kNoDevice);
  }
}

TEST(React, FollowsAChangedWeight) {
  Placed cluster(TestCluster::of(1, 10, 2), {1, 2}, 2000);
  finish_all(cluster.table);
  cluster.device({5}).weight_bytes = kTiB / 2;
  const Reaction reaction = cluster.react();
  EXPECT_NEAR(static_cast<double>(cluster.held_by({5})), 6000 * 0.5 / 19.5, 1.01);
  EXPECT_LE(reaction.moves.size(), reaction.moves_min * 12 / 10);
  cluster.device({5}).weight_bytes = 0;  // like leaving
  cluster.react();
  EXPECT_EQ(cluster.held_by({5}), 0u);
}

TEST(React, KeepsTheSourceOfAMoveThatWasNotFinished) {
  Placed cluster(TestCluster::of(1, 8, 1), {1, 2}, 300);
  cluster.set({1}, DeviceState::kLeaving);
  const Reaction first = cluster.react();
  const DeviceNumber target = first.moves.front().to;
  cluster.set(target, DeviceState::kFailed);
  const Reaction second = cluster.react();
  for (const Move& move : second.moves) {
    const bool was_on_its_way = std::ranges::any_of(first.moves, [&](const Move& old) {
      return old.pg == move.pg && old.position == move.position && old.to == target;
    });
    EXPECT_EQ(move.from, was_on_its_way ? DeviceNumber{1} : kNoDevice);
  }
}

TEST(React, RebuildsWhatWasOnItsWayFromADeviceThatFailed) {
  Placed cluster(TestCluster::of(1, 8, 1), {1, 2}, 300);
  cluster.set({1}, DeviceState::kLeaving);
  const size_t moved = cluster.react().moves.size();
  cluster.set({1}, DeviceState::kFailed);
  const Reaction reaction = cluster.react();
  EXPECT_EQ(reaction.moves.size(), moved);
  EXPECT_EQ(reasons_of(reaction), Reasons{MoveReason::kRebuild});
}

TEST(React, DoesTheMostUrgentFirst) {
  Placed cluster(TestCluster::of(1, 30, 1), {4, 3}, 2000);
  cluster.set({1}, DeviceState::kFailed);
  cluster.set({2}, DeviceState::kFailed);
  cluster.set({3}, DeviceState::kLeaving);
  cluster.add_node(0, 1);
  const Reaction reaction = cluster.react();
  EXPECT_TRUE(std::ranges::is_sorted(reaction.moves, {}, &Move::reason));
  const auto lost = [&](const Move& move) {
    return std::ranges::count(cluster.table.sources(move.pg), kLost);
  };
  EXPECT_EQ(lost(reaction.moves.front()), 2);
  std::vector<Move> rebuilds = reaction.moves;
  std::erase_if(rebuilds, [](const Move& move) { return move.reason != MoveReason::kRebuild; });
  EXPECT_TRUE(std::ranges::is_sorted(rebuilds, std::ranges::greater(), lost));
}

TEST(React, SpreadsOverAZoneThatIsNew) {
  Placed cluster(TestCluster::of(2, 4, 1), {1, 2}, 400);
  finish_all(cluster.table);
  for (int i = 0; i < 4; ++i) cluster.add_node(2, 1);
  const Reaction reaction = cluster.react();
  // Each group gives one fragment to it.
  EXPECT_TRUE(reasons_of(reaction).contains(MoveReason::kDomains));
  EXPECT_NEAR(static_cast<double>(reaction.moves.size()), 400, 4);
}

TEST(React, GoesOnWithoutAZoneAndComesBack) {
  Placed cluster(TestCluster::of(3, 3, 2), {4, 2}, 300);
  for (uint64_t node = 1; node <= 3; ++node) cluster.set_node({0, node}, DeviceState::kFailed);
  const Reaction lost = cluster.react();
  EXPECT_EQ(lost.moves.size(), 600u);
  finish_all(cluster.table);
  for (uint64_t node = 1; node <= 3; ++node) cluster.set_node({0, node}, DeviceState::kIn);
  EXPECT_EQ(cluster.react().moves.size(), 600u);
}

TEST(React, FillsEmptyPositionsWhenDevicesJoin) {
  Placed cluster(TestCluster::of(1, 3, 1), {4, 2}, 100);
  EXPECT_EQ(cluster.table.devices(0)[5], kNoDevice);
  cluster.add_node(0, 2);
  EXPECT_EQ(cluster.react().moves.size(), 200u);
  cluster.add_node(0, 1);
  const Reaction reaction = cluster.react();
  EXPECT_EQ(reaction.moves.size(), 100u);
  EXPECT_TRUE(cluster.table.stale(0));
}

TEST(React, LeavesALeavingDeviceItsFragmentsWhereNobodyCanTakeThem) {
  Placed cluster(TestCluster::of(1, 3, 1), {1, 2}, 50);
  cluster.set({2}, DeviceState::kLeaving);
  EXPECT_TRUE(cluster.react().moves.empty());
  EXPECT_EQ(cluster.held_by({2}), 50u);
  cluster.add_node(0, 1);
  EXPECT_EQ(cluster.react().moves.size(), 50u);
  // Failing now, the new one leaves the data where it still is.
  cluster.set({4}, DeviceState::kFailed);
  EXPECT_TRUE(cluster.react().moves.empty());
  EXPECT_EQ(cluster.held_by({2}), 50u);
}

TEST(React, FinishedMovesHaveNoSource) {
  Placed cluster(TestCluster::of(1, 5, 1), {1, 2}, 20);
  cluster.set({2}, DeviceState::kLeaving);
  const Reaction reaction = cluster.react();
  for (const Move& move : reaction.moves) finish_move(cluster.table, move.pg, move.position);
  cluster.remove({2});
  EXPECT_TRUE(cluster.react().moves.empty());
}

}  // namespace
}  // namespace nacre::place
