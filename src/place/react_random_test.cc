// Long histories of random clusters: whatever happens to devices, the rules hold, the balance is
// kept and hardly more is moved than must be.
#include <optional>

#include "os/random.h"
#include "place/layout.h"
#include "place/react.h"
#include "place/shuffle.h"
#include "place/test_cluster.h"

namespace nacre::place {
namespace {

class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {
    const unsigned zones = 1 + below(5);
    const unsigned nodes = 1 + below(6), devices = 1 + below(4);
    cluster_ = TestCluster::of(zones, nodes, devices);
    if (below(2) == 0) {
      for (auto& device : cluster_.map.devices) device.weight_bytes = kTiB / 4 * (1 + below(8));
    }
    const codec::ErasureCode codes[] = {{1, 2}, {4, 2}, {2, 1}, {8, 3}, {3, 0}, {1, 1}};
    pool_ = pool_of(codes[below(6)], 64 + below(400));
    table_ = initial_layout(cluster_.map, pool_);
  }

  void run(int events) {
    for (int i = 0; i < events; ++i) {
      const std::string event = happen();
      SCOPED_TRACE(fmt::format("event {}: {}, {} devices", i, event, cluster_.map.devices.size()));
      follow();
      if (::testing::Test::HasFatalFailure()) return;
      finish_some();
    }
    // Moves that must be, and what there were: over a whole history, small excesses count.
    EXPECT_LE(moved_, moved_min_ * 1.3 + 20) << pool_.pg_count;
  }

  double moved() const { return moved_; }
  double moved_min() const { return moved_min_; }

 private:
  uint32_t below(uint64_t bound) { return static_cast<uint32_t>(random_below(random_, bound)); }

  std::string happen() {
    ++cluster_.map.epoch;
    auto& devices = cluster_.map.devices;
    auto& nodes = cluster_.map.nodes;
    const uint32_t kind = below(8);
    if (kind == 0 || devices.empty()) {
      cluster_.add_node(below(5), 1 + below(4));
      return "a node joins";
    }
    wire::ClusterDevice& device = devices[below(devices.size())];
    const wire::NodeId node = nodes[below(nodes.size())].id;
    switch (kind) {
      case 1:
        cluster_.add_device(node);
        return "a device joins";
      case 2:
        device.state = DeviceState::kLeaving;
        return "a device leaves";
      case 3:
        device.state = DeviceState::kFailed;
        return "a device fails";
      case 4:
        device.state = DeviceState::kIn;
        return "a device is back";
      case 5:
        device.weight_bytes = kTiB / 8 * below(17);
        return "a device gets another weight";
      case 6:
        cluster_.set_node(node, below(2) == 0 ? DeviceState::kFailed : DeviceState::kIn);
        return "a node fails or is back";
      default:
        cluster_.remove(device.number);
        return "a device is gone";
    }
  }

  void follow() {
    const Reaction reaction = react(cluster_.map, pool_, table_);
    ASSERT_TRUE(keeps_rules(cluster_.map, reaction.table));
    check_balance(reaction.table);
    ASSERT_EQ(react(cluster_.map, pool_, table_).table, reaction.table);
    ASSERT_TRUE(sources_are_true(reaction.table));
    moved_ += static_cast<double>(reaction.moves.size() + reaction.cancelled);
    moved_min_ += static_cast<double>(reaction.moves_min);
    table_ = reaction.table;
  }

  // Sources of unfinished moves bar devices: then balance comes with the reaction after they
  // finished.
  void check_balance(PgTable table) const {
    const Topology topology(cluster_.map, pool_.code.n());
    if (topology.slots() >= 4 * pool_.code.n()) {
      ASSERT_TRUE(is_balanced(cluster_.map, table, 2.0));
    }
    finish_all(table);
    ASSERT_TRUE(is_balanced(cluster_.map, react(cluster_.map, pool_, table).table, 2.0));
  }

  // A fragment that was in place and can be read is found where it was, or still is.
  bool sources_are_true(const PgTable& after) const {
    const Topology topology(cluster_.map, after.n());
    for (uint32_t pg = 0; pg < after.size(); ++pg) {
      for (unsigned i = 0; i < after.n(); ++i) {
        const DeviceNumber old_source = table_.sources(pg)[i];
        const DeviceNumber held_by = old_source == kNoDevice ? table_.devices(pg)[i] : old_source;
        if (held_by == kNoDevice || held_by == kLost || !topology.is_readable(held_by)) continue;
        const DeviceNumber source = after.sources(pg)[i];
        if ((source == kNoDevice ? after.devices(pg)[i] : source) != held_by) return false;
      }
    }
    return true;
  }

  void finish_some() {
    const uint32_t chance = below(3);
    for (uint32_t pg = 0; pg < table_.size(); ++pg) {
      for (unsigned i = 0; i < table_.n(); ++i) {
        if (below(2) < chance) finish_move(table_, pg, i);
      }
      if (std::ranges::count(table_.sources(pg), kLost) == 0) table_.set_stale(pg, false);
    }
  }

  os::SeededRandom random_;
  TestCluster cluster_;
  wire::Pool pool_;
  PgTable table_;
  double moved_ = 0, moved_min_ = 0;
};

TEST(RandomHistory, KeepsRulesAndBalanceAndMovesLittle) {
  double moved = 0, moved_min = 0;
  // Each takes as long as several of other suites.
  for (int seed = 1; seed <= std::max(40, seeds_or(0) / 5); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    History history(static_cast<uint64_t>(seed));
    history.run(30);
    if (HasFailure()) return;
    moved += history.moved();
    moved_min += history.moved_min();
  }
  EXPECT_LE(moved, moved_min * 1.1);
  RecordProperty("moved_per_minimum", fmt::format("{:.3f}", moved / moved_min));
}

}  // namespace
}  // namespace nacre::place
