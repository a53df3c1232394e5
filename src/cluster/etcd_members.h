// The members of etcd in a cluster whose nodes run them: this node's part in it.
//
// A thread looks at etcd's list of members every second or so, and
//   - tells the node's own clients, and node.json, where etcd is to be found;
//   - says whether this node can run a member (etcd_rows.h);
//   - begins a member when the list has one at this node's address that has never run, and drops
//     the one that runs here when the list does not have it any more;
//   - keeps the log of this node's member short;
//   - on the one node that coordinates, has the members changed (etcd_coordinator.h).
//
// Lists are asked for with a read that a majority has agreed to, at the same member: a member that
// lags behind and does not know of this node yet makes it drop nothing.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/config_store.h"
#include "cluster/etcd_coordinator.h"
#include "cluster/etcd_rows.h"
#include "cluster/own_member.h"
#include "cluster/registry.h"
#include "etcd/admin.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::cluster {

struct EtcdMembersStatus {
  size_t voters = 0;
  size_t voters_healthy = 0;
  size_t learners = 0;
  std::string own = {};      // "voter" or "learner"; empty: this node runs none
  std::string step = {};     // what was done last, or is waited for
  std::string trouble = {};  // of this node's member, or why nothing is known
};

class EtcdMembers {
 public:
  // All outlive it.
  struct Parts {
    os::Clock& clock;
    const NodeFiles& files;
    ConfigStore& config;
    OwnMember& own;
    etcd::Client& client;  // the registry's: is told where etcd is
    Registry& registry;
  };
  // kNotFound without the files for TLS.
  static Result<std::unique_ptr<EtcdMembers>> open(const Parts& parts);
  ~EtcdMembers() { stop(); }
  EtcdMembers(const EtcdMembers&) = delete;
  EtcdMembers& operator=(const EtcdMembers&) = delete;

  void start();
  // Ends the thread, which may take seconds while etcd does not answer. Idempotent.
  void stop();
  // Asks the members how they are: up to a second for each that does not answer. From any thread.
  EtcdMembersStatus status();

 private:
  // What etcd says, as of one moment.
  struct Picture {
    std::vector<etcd::MemberInfo> members = {};
    std::optional<std::string> offer = {};
    std::optional<std::string> coordinator = {};
    std::string step = {};
  };

  EtcdMembers(const Parts& parts, std::unique_ptr<etcd::Client> client);
  void run();
  Status round();
  Result<Picture> look();
  Result<Picture> look_at(const std::string& endpoint);
  Status follow(const Picture& picture);
  Status tend_own(const Picture& picture);
  Status offer(const Picture& picture);
  const etcd::MemberInfo* find_own(const std::vector<etcd::MemberInfo>& members) const;

  const Parts parts_;
  const std::string node_;
  const std::optional<etcd::TlsFiles> tls_;
  const std::unique_ptr<etcd::Client> client_;  // of less patience than the registry's

  // Of the thread alone.
  EtcdCoordinator coordinator_;
  std::map<std::string, std::unique_ptr<etcd::Client>> clients_;  // by the one endpoint of each
  std::string good_;                                              // the endpoint that answered last
  bool blocked_ = false;  // the node's member cannot be started as it was announced

  os::Mutex mutex_;  // a leaf
  os::CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Picture seen_ GUARDED_BY(mutex_);
  std::optional<Error> trouble_ GUARDED_BY(mutex_);

  os::Thread thread_;  // last: it uses all of the above
};

}  // namespace nacre::cluster
