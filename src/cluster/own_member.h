// The member of etcd that a node runs, if it runs one, and what of it is kept in node.json.
//
// start(), begin(), drop() and tend_log() are for one thread at a time; the rest is safe from any.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/config_store.h"
#include "etcd/member.h"

namespace nacre::cluster {

// None in an insecure cluster.
std::optional<etcd::TlsFiles> etcd_tls(const NodeFiles& files, const NodeConfig& config);

class OwnMember {
 public:
  // Both outlive it.
  OwnMember(NodeFiles& files, ConfigStore& config) : files_(files), config_(config) {}

  // As node.json says: launches the member, or sees to it that there are ports for one to come.
  // Does not wait for it: it answers once a majority of the members runs.
  Status start();
  // A new member, that the others know of already; `peers` are all of them, itself among them.
  // What an earlier member has left is wiped.
  Status begin(const std::vector<etcd::Peer>& peers);
  // The others know of it no more: it ends, and its data goes.
  Status drop();
  // Ends the process, until start().
  void stop();

  // Keeps the member's log within the length that the node's own log files have.
  Status tend_log() { return files_.cut("etcd.log", config_.get().log.file_bytes); }

  bool runs() const { return find() != nullptr; }
  // Why it last ended, or was not started.
  std::optional<Error> failure() const;
  // What it came to: as etcd::Member::wait_ready(), without waiting. kNotFound if there is none.
  Status look() const;
  // As others reach it, HOST:PORT; of one to come as well.
  std::string peer_address() const;
  std::string client_address() const;
  // Whether the program is here.
  static bool is_installed();

 private:
  std::shared_ptr<etcd::Member> find() const;
  etcd::MemberOptions options() const;
  Status launch();

  NodeFiles& files_;
  ConfigStore& config_;
  mutable os::Mutex mutex_;  // a leaf
  std::shared_ptr<etcd::Member> member_ GUARDED_BY(mutex_);
};

}  // namespace nacre::cluster
