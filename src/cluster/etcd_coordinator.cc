#include "cluster/etcd_coordinator.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

namespace nacre::cluster {
namespace {

using namespace std::chrono_literals;
using Kind = etcd::MembershipStep::Kind;

constexpr auto kLeadFor = 5s;  // after the last word of the coordinator

std::string describe(const etcd::MembershipStep& step) {
  switch (step.kind) {
    case Kind::kNothing:
      return step.why;
    case Kind::kAddLearner:
      return fmt::format("node {} gets a member: {}", step.node, step.why);
    case Kind::kPromote:
      return fmt::format("the member of node {} gets a vote: {}", step.node, step.why);
    case Kind::kRemove:
      return fmt::format("the member of node {} is removed: {}", step.node, step.why);
  }
  return {};
}

}  // namespace

std::vector<etcd::MemberView> members_by_node(const std::vector<etcd::MemberInfo>& members,
                                              const MemberOffers& offers) {
  std::vector<etcd::MemberView> views;
  for (const etcd::MemberInfo& member : members) {
    etcd::MemberView view{.id = member.id, .node = member.name, .learner = member.learner};
    const std::string peer =
        member.peer_urls.empty() ? "" : address_of_url(member.peer_urls.front());
    for (const auto& [node, offer] : offers) {
      if (member.name.empty() && offer.peer == peer) view.node = node;
    }
    views.push_back(std::move(view));
  }
  return views;
}

bool EtcdCoordinator::leads(const std::optional<std::string>& holder) {
  if (lease_ != nullptr && (lease_->lost() || (holder && *holder != node_))) lease_ = nullptr;
  if (lease_ != nullptr) return lease_->valid();
  if (holder) return false;
  auto lease = etcd::Lease::open(client_, clock_, kLeadFor);
  if (!lease.ok()) return false;
  const auto won = client_.transact({.compares = {etcd::absent(kCoordinatorKey)},
                                     .then = {etcd::Put{kCoordinatorKey, node_, (*lease)->id()}}});
  if (!won.ok() || !won->succeeded) return false;
  lease_ = lease.take();
  seen_.clear();
  spdlog::info("this node looks after the members of etcd from now on");
  return true;
}

Result<MemberOffers> EtcdCoordinator::offers() {
  MemberOffers offers;
  const std::string prefix = kAblePrefix;
  for (const etcd::Row& row : TRY(client_.range(etcd::KeyRange::prefix(prefix))).rows) {
    const auto offer = decode_member_offer(row.value);
    if (offer.ok()) offers[row.key.substr(prefix.size())] = *offer;
  }
  return offers;
}

std::vector<etcd::NodeView> EtcdCoordinator::nodes(const block::ClusterView& view,
                                                   const MemberOffers& offers) {
  std::map<std::string, etcd::NodeView> now;
  for (const wire::ClusterNode& node : view.map.nodes) {
    const std::string id = to_hex(node.id);
    etcd::NodeView fresh{.id = id,
                         .alive = view.up.contains(node.id),
                         .able = offers.contains(id),
                         .since_ns = clock_.monotonic_ns()};
    const auto old = seen_.find(id);
    if (old != seen_.end() && old->second.alive == fresh.alive && old->second.able == fresh.able) {
      fresh.since_ns = old->second.since_ns;
    }
    now[id] = fresh;
  }
  seen_.swap(now);
  std::vector<etcd::NodeView> nodes;
  for (const auto& [id, node] : seen_) nodes.push_back(node);
  return nodes;
}

bool EtcdCoordinator::is_healthy(const etcd::MemberInfo& member) {
  return std::ranges::any_of(member.client_urls, [&](const std::string& url) {
    const auto status = client_.admin().status_of(address_of_url(url));
    if (!status.ok() || status->leader == etcd::MemberId{}) return false;
    return member.learner || status->member == member.id;  // a learner may not say who it is
  });
}

Status EtcdCoordinator::carry_out(const etcd::MembershipStep& step, const MemberOffers& offers) {
  etcd::Admin& admin = client_.admin();
  switch (step.kind) {
    case Kind::kNothing:
      return {};
    case Kind::kAddLearner: {
      const std::string url = (secure_ ? "https://" : "http://") + offers.at(step.node).peer;
      const auto added = admin.add_member(url, true);
      if (!added.ok() && added.code() != Code::kExists) return added.error();
      return {};
    }
    case Kind::kPromote:
      return admin.promote_member(step.member);
    case Kind::kRemove:
      return admin.remove_member(step.member);
  }
  return {};
}

Status EtcdCoordinator::act(const block::ClusterView& view,
                            const std::vector<etcd::MemberInfo>& members, const std::string& told) {
  const MemberOffers offers = TRY(this->offers());
  std::vector<etcd::MemberView> views = members_by_node(members, offers);
  for (size_t i = 0; i < views.size(); ++i) views[i].healthy = is_healthy(members[i]);
  const etcd::MembershipStep step =
      etcd::next_step(nodes(view, offers), views, clock_.monotonic_ns(), rules_);
  if (!lease_->valid()) return {};
  const Status done = carry_out(step, offers);
  std::string words = describe(step);
  if (step.kind != Kind::kNothing && done.ok()) spdlog::info("etcd: {}", words);
  // It refuses while the change before is fresh: the next time it will not.
  if (!done.ok() && done.code() != Code::kBusy) words += "; " + done.error().to_string();
  if (words == told) return {};
  TRY(client_.put(kStepKey, words));
  return {};
}

}  // namespace nacre::cluster
