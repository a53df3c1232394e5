// How a node comes to be: as the first of a new cluster, or as one more of a cluster that exists.
// Everything a node needs to start again is in its data directory then. For one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/node_files.h"
#include "device/device.h"
#include "rpc/message.h"

namespace nacre::cluster {

struct NodeWishes {
  std::string listen = {};     // HOST:PORT
  std::string advertise = {};  // HOST:PORT; empty: as `listen`
  std::string metrics = {};    // HOST:PORT; empty or "off": none
  std::string zone = {};
  std::string name = {};               // empty: the host's
  std::vector<std::string> etcd = {};  // endpoints of an etcd that is there; empty: run one
  uint64_t etcd_grace_s = 0;           // NodeConfig's; 0: the usual
  uint64_t scrub_grace_s = 0;          // likewise
  std::optional<uint64_t> out_after_s = {};
  bool insecure = false;   // no TLS; on loopback alone
  bool no_device = false;  // do not begin with a device in the data directory
  // NodeConfig's; empty and 0: the usual.
  std::string log_level = {};
  uint64_t log_bytes = 0;
  uint64_t log_files = 0;
};

// Whether a node may listen and be reached there. kInvalid says what is wrong.
Status check_addresses(const std::string& listen, const std::string& advertise, bool insecure);

// Of the wishes those that a node may be given at any start: how patient it is, its metrics and its
// log. kInvalid says what is wrong.
Status apply_settings(const NodeWishes& wishes, NodeConfig& config);

// A new cluster of this node. kExists when there is a node in the directory.
Result<NodeConfig> found_cluster(device::Host host, NodeFiles& files, const NodeWishes& wishes);

// Ports for a member of etcd of the node's own, should it have none, or ones that are taken.
Status choose_etcd_ports(NodeConfig& config);

// Asks the node at an address to be let in: `invitation` is TOKEN@HOST:PORT. kAccess when the token
// is not good; kExists as above.
Result<NodeConfig> join_cluster(device::Host host, NodeFiles& files, const NodeWishes& wishes,
                                const std::string& invitation);

// The other side of it, and of clients that come: what a node that has `secrets` answers.
struct JoinRequest {
  std::string token = {};
  std::string request = {};  // for a certificate; empty in an insecure cluster
  wire::NodeId node = {};    // of a node
  std::string name = {};
  std::string zone = {};
  std::string advertise = {};

  bool operator==(const JoinRequest&) const = default;
};
struct JoinGrant {
  rpc::Role role = rpc::Role::kClient;
  wire::ClusterId cluster = {};
  std::string ca = {};
  std::string certificate = {};
  NodeSecrets secrets = {};            // of a node
  std::vector<std::string> etcd = {};  // of a node
  bool runs_etcd = false;              // the cluster's nodes run etcd's members

  bool operator==(const JoinGrant&) const = default;
};
std::string encode(const JoinRequest& request);
Result<JoinRequest> decode_join_request(std::string_view text);
std::string encode(const JoinGrant& grant);
Result<JoinGrant> decode_join_grant(std::string_view text);

// Checks the token, and makes the certificate. kAccess; kInvalid.
Result<JoinGrant> grant_join(const NodeConfig& config, const NodeSecrets& secrets,
                             const JoinRequest& request, Timestamp now);

// A client's credentials, by an invitation as above.
struct ClientGrant {
  wire::ClusterId cluster = {};
  std::optional<rpc::Credentials> credentials = {};  // none in an insecure cluster
};
Result<ClientGrant> join_as_client(os::Clock& clock, const std::string& invitation,
                                   const std::string& name);

}  // namespace nacre::cluster
