// One rpc::Client for each node of a cluster, made when it is first needed. Safe from any thread;
// what it gives lives as long as it does.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "os/clock.h"
#include "os/mutex.h"
#include "rpc/client.h"
#include "wire/cluster_layout.h"

namespace nacre::block {

// Errors that say nothing of what was asked for, only that the node could not be asked.
inline bool is_out_of_reach(Code code) {
  return code == Code::kUnavailable || code == Code::kTimeout || code == Code::kOverloaded;
}

class NodeClients {
 public:
  NodeClients(os::Clock& clock, rpc::Security security, rpc::ClientOptions options = {})
      : clock_(clock), security_(std::move(security)), options_(options) {}

  // kInvalid for a node whose address is none.
  Result<rpc::Client*> of(const wire::ClusterNode& node);
  // The one for an address that is no known node's (yet).
  rpc::Client& at(const os::Address& address);

 private:
  os::Clock& clock_;
  const rpc::Security security_;
  const rpc::ClientOptions options_;
  os::Mutex mutex_;                                                                 // a leaf
  std::map<std::string, std::unique_ptr<rpc::Client>> clients_ GUARDED_BY(mutex_);  // by address
};

}  // namespace nacre::block
