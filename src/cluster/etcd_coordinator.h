// Changes the members of etcd as etcd::next_step() says: on one node at a time, the one that holds
// the row of the coordinator under a lease. All that a step leaves behind is in etcd's own list of
// members, so that whoever comes next goes on from there.
//
// For one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "block/cluster_view.h"
#include "cluster/etcd_rows.h"
#include "etcd/admin.h"
#include "etcd/client.h"
#include "etcd/lease.h"
#include "etcd/membership.h"
#include "os/clock.h"

namespace nacre::cluster {

// Each member with the node it is of: by its name or, until it has started, by where it will be.
// `healthy` is left to the caller.
std::vector<etcd::MemberView> members_by_node(const std::vector<etcd::MemberInfo>& members,
                                              const MemberOffers& offers);

class EtcdCoordinator {
 public:
  // `node` is this one's id. `client` and `clock` outlive it.
  EtcdCoordinator(etcd::Client& client, os::Clock& clock, std::string node,
                  const etcd::MembershipRules& rules, bool secure)
      : client_(client), clock_(clock), node_(std::move(node)), rules_(rules), secure_(secure) {}

  // Whether this node coordinates. `holder` is the row's; where there is none it applies.
  bool leads(const std::optional<std::string>& holder);
  // The next step, if any is due. `members` is etcd's list as it is now, `told` the row of the step
  // before. For how long nodes have been there or gone counts from when this one began to lead.
  Status act(const block::ClusterView& view, const std::vector<etcd::MemberInfo>& members,
             const std::string& told);
  // Another may take over at once.
  void resign() { lease_ = nullptr; }

 private:
  Result<MemberOffers> offers();
  std::vector<etcd::NodeView> nodes(const block::ClusterView& view, const MemberOffers& offers);
  bool is_healthy(const etcd::MemberInfo& member);
  Status carry_out(const etcd::MembershipStep& step, const MemberOffers& offers);

  etcd::Client& client_;
  os::Clock& clock_;
  const std::string node_;
  const etcd::MembershipRules rules_;
  const bool secure_;
  std::unique_ptr<etcd::Lease> lease_;
  std::map<std::string, etcd::NodeView> seen_;  // by id
};

}  // namespace nacre::cluster
