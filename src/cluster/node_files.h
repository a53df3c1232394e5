// What a node keeps in its data directory, besides its devices and etcd's own files:
//
//   node.json      who it is and how it is started again (NodeConfig)
//   tls/           certificates and keys, mode 0600; not there in an insecure cluster
//   secret/        the authority's key, and the key of join tokens, mode 0600
//   log            newest of its logs        control    the socket that commands come to
//   lock           held by the process that runs the node
//   etcd/          of its member of etcd     device/    the device it was started with
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/log.h"
#include "os/file_system.h"
#include "rpc/certificates.h"
#include "wire/cluster_layout.h"

namespace nacre::cluster {

struct NodeConfig {
  wire::NodeId node = {};
  wire::ClusterId cluster = {};
  std::string name = {};
  std::string zone = {};
  std::string listen = {};     // HOST:PORT
  std::string advertise = {};  // HOST:PORT, as others reach it
  std::string metrics = {};    // HOST:PORT of /metrics and /healthz; empty: there are none
  bool insecure = false;
  std::vector<std::string> etcd = {};  // endpoints, HOST:PORT
  // Where its own member of etcd listens, should it run one; empty: etcd is none of the cluster's.
  std::string etcd_client_address = {};
  std::string etcd_peer_address = {};
  // NAME=HOST:PORT each, when its member was made; empty: it runs none.
  std::vector<std::string> etcd_members = {};
  bool etcd_joins = false;                // the cluster was there before it
  uint64_t etcd_grace_s = 5 * 60;         // how long a node with a member may be gone
  uint64_t out_after_s = 30 * 60;         // that a node is down; 0: never
  uint64_t scrub_grace_s = 60 * 60;       // how long what looks like garbage is left alone
  std::vector<std::string> devices = {};  // paths
  // Ids of devices that the map has had: one that is no longer there was removed.
  std::vector<std::string> enrolled = {};
  node::LogOptions log = {};

  bool operator==(const NodeConfig&) const = default;
};

// The secrets by which a node lets others in.
struct NodeSecrets {
  rpc::Authority authority = {};  // empty in an insecure cluster
  std::string token_key = {};

  bool operator==(const NodeSecrets&) const = default;
};

class NodeFiles {
 public:
  NodeFiles(os::FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  const std::string& directory() const { return directory_; }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::string control_path() const { return path("control"); }
  std::string log_path() const { return path("log"); }

  // Makes the directory, mode 0700, and locks it: kBusy while another process runs the node.
  Result<std::unique_ptr<os::FileLock>> lock();
  // None where no node was made yet. kCorrupt names the field that is wrong; kNewerFormat.
  Result<std::optional<NodeConfig>> config();
  // Durable and all or nothing, as are the others.
  Status save(const NodeConfig& config);

  Result<rpc::Credentials> credentials();
  Status save(const rpc::Credentials& credentials);
  Result<NodeSecrets> secrets();
  Status save(const NodeSecrets& secrets);
  // A file that another program appends to begins anew once it is longer than that, and NAME.1 has
  // what it had. What is written meanwhile may be lost. Nothing happens while there is no such
  // file.
  Status cut(const std::string& name, uint64_t bytes_max);
  // Removes what is below that name, if there is anything.
  Status wipe(const std::string& name);

 private:
  Status write(const std::string& name, const std::string& text);
  Result<std::string> read(const std::string& name);

  os::FileSystem& files_;
  const std::string directory_;
};

}  // namespace nacre::cluster
