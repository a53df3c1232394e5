#include "etcd/membership.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "os/random.h"

namespace nacre::etcd {
namespace {

using Kind = MembershipStep::Kind;

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kLongAgo = -1'000 * kSecondNs;
constexpr int64_t kNow = 0;

NodeView there(const std::string& id) { return {.id = id, .alive = true, .since_ns = kLongAgo}; }
NodeView gone(const std::string& id, int64_t since_ns = kLongAgo) {
  return {.id = id, .alive = false, .since_ns = since_ns};
}
MemberView voter(uint64_t id, const std::string& node, bool healthy = true) {
  return {.id = {id}, .node = node, .healthy = healthy};
}
MemberView learner(uint64_t id, const std::string& node, bool healthy = true) {
  return {.id = {id}, .node = node, .learner = true, .healthy = healthy};
}

std::string words(const MembershipStep& step) {
  switch (step.kind) {
    case Kind::kNothing:
      return "nothing";
    case Kind::kAddLearner:
      return "add " + step.node;
    case Kind::kPromote:
      return fmt::format("promote {}", step.member.value);
    case Kind::kRemove:
      return fmt::format("remove {}", step.member.value);
  }
  return "?";
}

std::string step(const std::vector<NodeView>& nodes, const std::vector<MemberView>& members) {
  return words(next_step(nodes, members, kNow));
}

TEST(Membership, StaysAtOneUntilThereAreNodesForThree) {
  EXPECT_EQ(step({there("a")}, {voter(1, "a")}), "nothing");
  EXPECT_EQ(step({there("a"), there("b")}, {voter(1, "a")}), "nothing");
  EXPECT_EQ(step({there("a"), there("b"), there("c")}, {voter(1, "a")}), "add b");
}

TEST(Membership, GrowsByLearnersThatAreThenPromoted) {
  const std::vector<NodeView> nodes = {there("a"), there("b"), there("c")};
  EXPECT_EQ(step(nodes, {voter(1, "a"), learner(2, "b", false)}), "nothing");
  EXPECT_EQ(step(nodes, {voter(1, "a"), learner(2, "b")}), "promote 2");
  EXPECT_EQ(step(nodes, {voter(1, "a"), voter(2, "b")}), "add c");
  EXPECT_EQ(step(nodes, {voter(1, "a"), voter(2, "b"), voter(3, "c")}), "nothing");
}

TEST(Membership, GrowsToFiveAndNoFurther) {
  std::vector<NodeView> nodes;
  for (const char* id : {"a", "b", "c", "d", "e", "f", "g", "h"}) nodes.push_back(there(id));
  std::vector<MemberView> members = {voter(1, "a"), voter(2, "b"), voter(3, "c")};
  EXPECT_EQ(step(nodes, members), "add d");
  members.push_back(voter(4, "d"));
  EXPECT_EQ(step(nodes, members), "add e");
  members.push_back(voter(5, "e"));
  EXPECT_EQ(step(nodes, members), "nothing");
}

TEST(Membership, CountsOnlyOnNodesThatHaveSettledAndCanRunOne) {
  NodeView fresh = there("c");
  fresh.since_ns = kNow - kSecondNs;
  EXPECT_EQ(step({there("a"), there("b"), fresh}, {voter(1, "a")}), "nothing");
  NodeView unable = there("c");
  unable.able = false;
  EXPECT_EQ(step({there("a"), there("b"), unable}, {voter(1, "a")}), "nothing");
}

TEST(Membership, GoesBackFromAnEvenNumberWhenNoNodeIsToBeHoped) {
  const std::vector<MemberView> two = {voter(1, "a"), voter(2, "b")};
  NodeView later = there("b");
  later.since_ns = kLongAgo + 1;
  EXPECT_EQ(step({there("a"), later}, two), "remove 2");
  EXPECT_EQ(step({there("a"), later, gone("c", kNow - kSecondNs)}, two), "nothing");
  EXPECT_EQ(step({there("a"), later, gone("c")}, two), "remove 2");
}

TEST(Membership, DropsALearnerThatWouldOnlyMakeThemEven) {
  const std::vector<MemberView> members = {voter(1, "a"), learner(2, "b")};
  EXPECT_EQ(step({there("a"), there("b"), gone("c")}, members), "remove 2");
  EXPECT_EQ(step({there("a"), gone("b"), there("c")}, {voter(1, "a"), learner(2, "b", false)}),
            "remove 2");
}

TEST(Membership, ReplacesAMemberWhoseNodeIsGoneForLong) {
  const std::vector<MemberView> members = {voter(1, "a"), voter(2, "b"), voter(3, "c", false)};
  EXPECT_EQ(step({there("a"), there("b"), gone("c", kNow - kSecondNs), there("d")}, members),
            "nothing");
  EXPECT_EQ(step({there("a"), there("b"), gone("c"), there("d")}, members), "remove 3");
  EXPECT_EQ(step({there("a"), there("b"), gone("c"), there("d")}, {members[0], members[1]}),
            "add d");
  EXPECT_EQ(step({there("a"), there("b"), gone("c")}, members), "nothing");
}

TEST(Membership, ShrinksFromFiveToThreeWhenTwoAreGoneForGood) {
  const std::vector<NodeView> nodes = {there("a"), there("b"), there("c"), gone("d"), gone("e")};
  std::vector<MemberView> members = {voter(1, "a"), voter(2, "b"), voter(3, "c"),
                                     voter(4, "d", false), voter(5, "e", false)};
  EXPECT_EQ(step(nodes, members), "remove 5");
  members.pop_back();
  EXPECT_EQ(step(nodes, members), "remove 4");
  members.pop_back();
  EXPECT_EQ(step(nodes, members), "nothing");
}

TEST(Membership, DoesNothingWithoutAMajority) {
  const std::vector<NodeView> nodes = {there("a"), gone("b"), gone("c"), there("d"), there("e")};
  EXPECT_EQ(step(nodes, {voter(1, "a"), voter(2, "b", false), voter(3, "c", false)}), "nothing");
}

TEST(Membership, ReplacesANodeThatLeavesBeforeItLetsItGo) {
  const std::vector<NodeView> nodes = {there("a"), there("b"), there("d")};
  const std::vector<MemberView> members = {voter(1, "a"), voter(2, "b"), voter(3, "left")};
  EXPECT_EQ(step(nodes, members), "add d");
  EXPECT_EQ(step(nodes, {members[0], members[1], members[2], voter(4, "d")}), "remove 3");
  EXPECT_EQ(step({there("a"), there("b")}, members), "remove 3");
  EXPECT_EQ(step({there("a")}, {voter(1, "left")}), "add a");
  EXPECT_EQ(step({there("a")}, {voter(1, "left"), voter(2, "a")}), "remove 1");
  EXPECT_EQ(step({}, {voter(1, "left")}), "nothing");
}

// Nodes that come, go, return and leave for good, and an etcd that does what it is told.
class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {
    join();
    members_.push_back(voter(++last_id_, nodes_.front().id));
  }

  void disturb() {
    const uint64_t dice = chance(100);
    if (dice < 15 && nodes_.size() < 9) join();
    if (nodes_.empty()) return;
    NodeView& node = nodes_[chance(nodes_.size())];
    if (dice >= 15 && dice < 35) change(node, !node.alive, node.able);
    if (dice >= 35 && dice < 40) change(node, node.alive, !node.able);
    if (dice >= 40 && dice < 42 && nodes_.size() > 3) {
      left_.push_back(node);
      std::erase_if(nodes_, [id = node.id](const NodeView& each) { return each.id == id; });
    }
  }

  void pass(int64_t ns) {
    now_ns_ += ns;
    for (MemberView& each : members_) {
      const NodeView* const node = find(each.node);
      const bool runs = node != nullptr && node->alive && node->able;
      // Those that have just been added take a while.
      each.healthy = runs && (each.healthy || chance(3) != 0);
    }
  }

  // Does the next step, and checks that it was a good one. False if there was none.
  bool act() {
    const MembershipStep step = next_step(nodes_, members_, now_ns_);
    if (step.kind == Kind::kNothing) return false;
    EXPECT_TRUE(has_majority()) << words(step);
    const int64_t before = failures_survived();
    const auto learners = std::ranges::count_if(members_, &MemberView::learner);
    if (learners > 0) {
      EXPECT_TRUE(learner_of(step)) << words(step) << " while there is a learner";
    }
    perform(step);
    EXPECT_GE(failures_survived(), before) << words(step) << ": " << step.why;
    EXPECT_TRUE(has_majority()) << words(step) << ": " << step.why;
    EXPECT_LE(voters(), 6u);
    return true;
  }

  bool has_majority() const { return healthy() > voters() / 2; }

  // How it should be once nothing happens any more.
  void expect_at_rest() const {
    size_t spares = 0;
    for (const NodeView& each : nodes_) {
      const bool has = std::ranges::find(members_, each.id, &MemberView::node) != members_.end();
      spares += each.alive && each.able && !has ? 1 : 0;
    }
    if (!has_majority()) return;
    EXPECT_EQ(std::ranges::count_if(members_, &MemberView::learner), 0);
    if (healthy() < voters()) {
      EXPECT_EQ(spares, 0u) << "a dead member is not replaced";
    } else {
      EXPECT_EQ(voters() % 2, 1u);
      EXPECT_FALSE(voters() + 2 <= 5 && spares >= 2)
          << voters() << " voters, " << spares << " spare nodes, but "
          << next_step(nodes_, members_, now_ns_).why;
    }
  }

 private:
  uint64_t chance(uint64_t count) { return random_.next() % count; }

  void join() {
    nodes_.push_back({.id = fmt::format("n{}", ++last_node_), .alive = true, .since_ns = now_ns_});
  }
  void change(NodeView& node, bool alive, bool able) {
    node.alive = alive;
    node.able = able;
    node.since_ns = now_ns_;
  }
  const NodeView* find(const std::string& id) const {
    for (const auto* list : {&nodes_, &left_}) {
      for (const NodeView& each : *list) {
        if (each.id == id) return &each;
      }
    }
    return nullptr;
  }

  size_t voters() const {
    return members_.size() -
           static_cast<size_t>(std::ranges::count_if(members_, &MemberView::learner));
  }
  size_t healthy() const {
    return static_cast<size_t>(std::ranges::count_if(
        members_, [](const MemberView& each) { return !each.learner && each.healthy; }));
  }
  // Negative: without those whose nodes have left, there is no majority.
  int64_t failures_survived() const {
    int64_t counted = 0;
    for (const MemberView& each : members_) {
      const bool known = std::ranges::find(nodes_, each.node, &NodeView::id) != nodes_.end();
      counted += !each.learner && each.healthy && known ? 1 : 0;
    }
    return counted - static_cast<int64_t>(voters() / 2 + 1);
  }

  bool learner_of(const MembershipStep& step) const {
    return std::ranges::any_of(
        members_, [&](const MemberView& each) { return each.learner && each.id == step.member; });
  }
  void perform(const MembershipStep& step) {
    const auto found = std::ranges::find(members_, step.member, &MemberView::id);
    if (step.kind == Kind::kAddLearner) {
      // etcd refuses while a voter is dead.
      EXPECT_EQ(healthy(), voters());
      EXPECT_NE(find(step.node), nullptr);
      members_.push_back(learner(++last_id_, step.node, false));
      return;
    }
    ASSERT_NE(found, members_.end());
    if (step.kind == Kind::kPromote) {
      EXPECT_TRUE(found->learner && found->healthy);
      found->learner = false;
    } else {
      members_.erase(found);
    }
  }

  os::SeededRandom random_;
  int64_t now_ns_ = 0;
  int last_node_ = 0;
  uint64_t last_id_ = 0;
  std::vector<NodeView> nodes_;
  std::vector<NodeView> left_;  // they run on, for a while
  std::vector<MemberView> members_;
};

TEST(Membership, NeverRisksTheMajorityAndComesToRestWhateverNodesDo) {
  const char* const given = std::getenv("NACRE_SEEDS");
  const uint64_t seeds = given == nullptr ? 1000 : std::strtoull(given, nullptr, 10);
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    os::SeededRandom random(seed ^ 0x5eed);
    World world(seed);
    for (int i = 0; i < 200 && !testing::Test::HasFailure(); ++i) {
      world.disturb();
      world.pass(static_cast<int64_t>(random.next() % 200) * kSecondNs);
      if (random.next() % 4 != 0) world.act();
    }
    int steps = 0;
    for (int quiet = 0; quiet < 20 && steps < 100 && !testing::Test::HasFailure(); ++quiet) {
      world.pass(100 * kSecondNs);
      if (world.act()) {
        ++steps;
        quiet = 0;
      }
    }
    EXPECT_LT(steps, 100) << "it never comes to rest";
    world.expect_at_rest();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace nacre::etcd
