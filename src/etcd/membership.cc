#include "etcd/membership.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace nacre::etcd {
namespace {

using Kind = MembershipStep::Kind;

size_t majority_of(size_t voters) { return voters / 2 + 1; }

// The picture, in the words of the decision.
class Scene {
 public:
  Scene(const std::vector<NodeView>& nodes, const std::vector<MemberView>& members, int64_t now_ns,
        const MembershipRules& rules)
      : nodes_(nodes), members_(members), now_ns_(now_ns), rules_(rules) {
    for (const MemberView& each : members) {
      if (each.learner) continue;
      ++voters_;
      healthy_ += each.healthy ? 1 : 0;
      dead_ += dead(each) ? 1 : 0;
    }
    for (const NodeView& each : nodes) {
      if (member_on(each)) continue;
      if (usable(each)) ++spares_;
      // May be a spare soon.
      if (usable_soon(each)) ++hopes_;
    }
  }

  MembershipStep decide() const {
    if (voters_ == 0) return {.why = "etcd has no members yet"};
    if (healthy_ < majority_of(voters_)) {
      return {.why = "a majority of etcd's members is not healthy"};
    }
    if (const MemberView* learner = find_learner()) return lead(*learner);
    if (dead_ > 0) return replace();
    if (healthy_ < voters_) return {.why = "an etcd member is not healthy; it is given time"};
    if (voters_ % 2 == 0) return leave_even();
    if (voters_ + 2 <= rules_.voters_max && spares_ >= 2) return add("etcd grows");
    return {.why = "etcd has the members it shall have"};
  }

 private:
  const NodeView* node_of(const MemberView& member) const {
    const auto found = std::ranges::find(nodes_, member.node, &NodeView::id);
    return found == nodes_.end() ? nullptr : &*found;
  }
  bool member_on(const NodeView& node) const {
    return std::ranges::find(members_, node.id, &MemberView::node) != members_.end();
  }
  int64_t age_ns(const NodeView& node) const { return now_ns_ - node.since_ns; }
  bool usable(const NodeView& node) const {
    return node.alive && node.able && age_ns(node) >= rules_.settle_ns;
  }
  bool usable_soon(const NodeView& node) const {
    return (node.alive && node.able) || age_ns(node) <= rules_.grace_ns;
  }
  // Not to be waited for any longer. One that answers is not dead, whatever is said of its node,
  // unless that has left for good.
  bool dead(const MemberView& member) const {
    const NodeView* const node = node_of(member);
    if (node == nullptr) return true;
    return !member.healthy && !(node->alive && node->able) && age_ns(*node) > rules_.grace_ns;
  }

  const MemberView* find_learner() const {
    const auto found = std::ranges::find_if(members_, &MemberView::learner);
    return found == members_.end() ? nullptr : &*found;
  }

  // A learner has no vote: it can always be removed, and its promotion adds a healthy one.
  MembershipStep lead(const MemberView& learner) const {
    const NodeView* const node = node_of(learner);
    const bool there = node != nullptr && node->alive && node->able;
    if (!there && dead(learner)) return remove(&learner, "its node is gone");
    if (voters_ % 2 == 1 && dead_ == 0 && spares_ + hopes_ == 0) {
      return remove(&learner, "the node for the next odd number is gone");
    }
    if (learner.healthy && there) {
      return {.kind = Kind::kPromote,
              .node = learner.node,
              .member = learner.id,
              .why = "it has joined"};
    }
    return {.why = "a new etcd member is starting"};
  }

  MembershipStep replace() const {
    const MemberView* const gone = most_dispensable();
    const bool left = node_of(*gone) == nullptr;
    // While all are healthy, etcd takes the new one first.
    if (left && healthy_ == voters_ && voters_ % 2 == 1 && spares_ > 0) {
      return add("a node has left");
    }
    if (healthy_ - (gone->healthy ? 1 : 0) < majority_of(voters_ - 1)) {
      return {.why = "an etcd member cannot be removed without risk"};
    }
    if (left) return remove(gone, "its node has left the cluster");
    if (spares_ > 0) return remove(gone, "its node is gone, and another takes its place");
    const size_t staying = voters_ - dead_;
    if (staying >= 3 && staying % 2 == 1) {
      return remove(gone, "its node is gone, and the others do better without it");
    }
    return {.why = "an etcd member's node is gone, and there is no other to take its place"};
  }

  MembershipStep leave_even() const {
    if (voters_ < rules_.voters_max && spares_ > 0)
      return add("etcd's members become odd in number");
    if (voters_ < rules_.voters_max && hopes_ > 0) {
      return {.why = "etcd waits for a node, to have an odd number of members"};
    }
    return remove(most_dispensable(), "etcd's members become odd in number");
  }

  MembershipStep add(std::string why) const {
    const NodeView* best = nullptr;
    for (const NodeView& each : nodes_) {
      if (!usable(each) || member_on(each)) continue;
      // Whoever has been there longest will stay; the id makes the choice the same for all who ask.
      if (best == nullptr ||
          std::tie(each.since_ns, each.id) < std::tie(best->since_ns, best->id)) {
        best = &each;
      }
    }
    return {.kind = Kind::kAddLearner, .node = best->id, .why = std::move(why)};
  }

  static MembershipStep remove(const MemberView* member, std::string why) {
    return {
        .kind = Kind::kRemove, .node = member->node, .member = member->id, .why = std::move(why)};
  }

  // Dead ones first, then those that are not healthy, then those whose nodes came last.
  const MemberView* most_dispensable() const {
    const auto rank = [this](const MemberView& member) {
      const NodeView* const node = node_of(member);
      return std::tuple(dead(member), !member.healthy, node == nullptr ? INT64_MAX : node->since_ns,
                        member.id);
    };
    const MemberView* found = nullptr;
    for (const MemberView& each : members_) {
      if (!each.learner && (found == nullptr || rank(each) > rank(*found))) found = &each;
    }
    return found;
  }

  const std::vector<NodeView>& nodes_;
  const std::vector<MemberView>& members_;
  const int64_t now_ns_;
  const MembershipRules& rules_;
  size_t voters_ = 0;
  size_t healthy_ = 0;  // of the voters
  size_t dead_ = 0;     // of the voters
  size_t spares_ = 0;   // nodes that could have a member now, and have none
  size_t hopes_ = 0;    // and those that could soon
};

}  // namespace

MembershipStep next_step(const std::vector<NodeView>& nodes, const std::vector<MemberView>& members,
                         int64_t now_ns, const MembershipRules& rules) {
  return Scene(nodes, members, now_ns, rules).decide();
}

}  // namespace nacre::etcd
