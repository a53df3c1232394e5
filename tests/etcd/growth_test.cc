// Real members that join and are replaced as membership.h says.
#include <gtest/gtest.h>

#include <algorithm>

#include "etcd/admin.h"
#include "etcd/membership.h"
#include "real_cluster.h"

namespace nacre::etcd {
namespace {

// Nodes with one member each at most, and what a node daemon does about next_step().
class Nodes {
 public:
  explicit Nodes(RealCluster& cluster) : cluster_(cluster), client_(cluster.client(seconds(3))) {
    join(0);
  }

  void join(size_t i) { nodes_.push_back({.id = cluster_.options(i).name, .alive = true}); }
  void die(size_t i) {
    cluster_.kill(i);
    nodes_[i].alive = false;
    nodes_[i].since_ns = now_ns();
  }

  // Steps until there are as many voters, all healthy, and nothing is left to do.
  bool settles_at(size_t voters) {
    return eventually([&] {
      const std::vector<MemberView> members = look();
      const bool acted = act(members);
      const auto good = std::ranges::count_if(
          members, [](const MemberView& each) { return !each.learner && each.healthy; });
      return !acted && static_cast<size_t>(good) == voters && members.size() == voters;
    });
  }
  Client& client() { return *client_; }

 private:
  std::vector<MemberView> look() {
    std::vector<MemberView> views;
    const auto members = client_->admin().members();
    if (!members.ok()) return views;
    for (const MemberInfo& each : *members) {
      const size_t node = node_of(each);
      const auto status = client_->admin().status_of(cluster_.options(node).client_address);
      views.push_back({.id = each.id,
                       .node = nodes_[node].id,
                       .learner = each.learner,
                       .healthy = status.ok() && status->leader != MemberId{}});
    }
    return views;
  }

  size_t node_of(const MemberInfo& member) {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (member.peer_urls.at(0) == peer_url(cluster_.options(i))) return i;
    }
    ADD_FAILURE() << "a member that nobody has added";
    return 0;
  }

  bool act(const std::vector<MemberView>& members) {
    const MembershipStep step =
        next_step(nodes_, members, now_ns(), {.grace_ns = 1'000'000'000, .settle_ns = 0});
    Admin& admin = client_->admin();
    Status done;
    switch (step.kind) {
      case MembershipStep::Kind::kNothing:
        return false;
      case MembershipStep::Kind::kAddLearner:
        done = add(step.node);
        break;
      case MembershipStep::Kind::kPromote:
        done = admin.promote_member(step.member);
        break;
      case MembershipStep::Kind::kRemove:
        done = admin.remove_member(step.member);
        break;
    }
    if (!done.ok()) {
      EXPECT_EQ(done.code(), Code::kBusy) << done.error().to_string();
    }
    return true;
  }

  Status add(const std::string& node) {
    size_t i = 0;
    while (cluster_.options(i).name != node) ++i;
    TRY(client_->admin().add_member(peer_url(cluster_.options(i)), true));
    cluster_.options(i).initial_cluster =
        peers_to_join(TRY(client_->admin().members()), cluster_.options(i));
    cluster_.start(i);
    client_->set_endpoints(cluster_.endpoints());
    return {};
  }

  RealCluster& cluster_;
  const std::unique_ptr<Client> client_;
  std::vector<NodeView> nodes_;
};

TEST(Growth, GoesFromOneMemberToThreeAndReplacesALostOne) {
  RealCluster cluster(1);
  Nodes nodes(cluster);
  ok(nodes.client().put("k", "1"));
  ASSERT_TRUE(nodes.settles_at(1));
  for (int i = 0; i < 2; ++i) nodes.join(cluster.add_options());
  ASSERT_TRUE(nodes.settles_at(3));

  nodes.join(cluster.add_options());
  nodes.die(1);
  ASSERT_TRUE(nodes.settles_at(3));
  // Survives the loss of another: the new one has all there is, and a vote.
  cluster.kill(0);
  EXPECT_TRUE(eventually([&] { return nodes.client().put("l", "2").ok(); }));
  EXPECT_EQ(ok(nodes.client().get("k"))->value, "1");
}

}  // namespace
}  // namespace nacre::etcd
