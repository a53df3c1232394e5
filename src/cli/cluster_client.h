// How commands reach a cluster: which nodes, with which credentials.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "block/objects.h"
#include "cluster/remote_views.h"
#include "node/json.h"
#include "rpc/certificates.h"

namespace nacre::cli {

// "nacre://HOST:PORT[,HOST:PORT...]". kInvalid says what is wrong.
Result<std::vector<os::Address>> parse_cluster(const std::string& text);

// Where a client's credentials for a cluster lie: in NACRE_CREDENTIALS, else below the user's
// configuration. Files ca.crt, client.crt and client.key, for the user alone.
std::string credentials_directory(wire::ClusterId cluster);
Result<rpc::Credentials> read_credentials(wire::ClusterId cluster);
Status save_credentials(wire::ClusterId cluster, const rpc::Credentials& credentials);
// Asks a node for credentials and keeps them: `invitation` is TOKEN@HOST:PORT. The cluster.
Result<wire::ClusterId> log_in(const std::string& invitation);

// For one thread, but objects() and blocks() for any.
class ClusterClient {
 public:
  // kUnavailable when no node answers; kAccess without credentials, or when those are not taken.
  static Result<std::unique_ptr<ClusterClient>> connect(const std::string& cluster);

  block::Objects& objects() { return *objects_; }
  block::ClusterBlocks& blocks() { return *blocks_; }
  cluster::RemoteViews& views() { return *views_; }
  // A command of operators, asked of a node that answers.
  Result<node::Json> command(const std::string& name,
                             const node::Json& arguments = node::Json::object());
  // The same, asked of that node.
  Result<node::Json> command_of(const wire::ClusterNode& node, const std::string& name,
                                node::Json arguments);
  // The code for what is put without one: the strongest usual one that the nodes there are allow.
  codec::ErasureCode usual_code();
  // Makes a pool of that code if there is none.
  Status ensure_pool(codec::ErasureCode code);

 private:
  ClusterClient() = default;
  Result<node::Json> ask(rpc::Client& client, const std::string& name, node::Json arguments);

  std::vector<os::Address> addresses_;
  std::unique_ptr<block::NodeClients> clients_;
  std::unique_ptr<cluster::RemoteViews> views_;
  std::unique_ptr<block::ClusterBlocks> blocks_;
  std::unique_ptr<block::Objects> objects_;
};

}  // namespace nacre::cli
