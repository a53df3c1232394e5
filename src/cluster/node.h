// A node of a cluster: opens its devices, follows the registry, serves fragments to clients and
// other nodes, lets others join, heals what it should have, takes commands of operators, and tells
// whoever watches how it is.
//
// start() and run() are for one thread, in this order, in a process that has no other threads yet.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "block/cluster_blocks.h"
#include "cluster/admin.h"
#include "cluster/call_counters.h"
#include "cluster/config_store.h"
#include "cluster/device_set.h"
#include "cluster/etcd_members.h"
#include "cluster/etcd_registry.h"
#include "cluster/fragment_service.h"
#include "cluster/gone_watch.h"
#include "cluster/healer.h"
#include "cluster/node_files.h"
#include "cluster/node_metrics.h"
#include "cluster/own_member.h"
#include "cluster/scrubber.h"
#include "node/control_server.h"
#include "node/http_server.h"
#include "node/wake.h"
#include "rpc/server.h"

namespace nacre::cluster {

struct NodeOptions {
  // For etcd to come up, which takes a majority of the nodes that run its members.
  int64_t etcd_limit_ns = 60'000'000'000;
};

class Node {
 public:
  // `files` holds a node that was founded or joined, and is locked by the caller. kBusy when a port
  // is taken; kTimeout when etcd does not answer within the limit, however soon others are started;
  // kInvalid when a device is of another cluster.
  static Result<std::unique_ptr<Node>> start(device::Host host, NodeFiles& files,
                                             const NodeOptions& options);
  ~Node();

  // Until a signal or a command says stop; then closes everything so that starting is quick.
  Status run();

 private:
  Node(device::Host host, NodeFiles& files) : host_(host), files_(files) {}

  Status start_etcd(const NodeOptions& options);
  Status wait_for_etcd(const NodeOptions& options);
  Status open_registry(const NodeOptions& options);
  Status open_devices();
  Status serve();
  Status serve_calls();
  Status serve_metrics();
  Status enroll();
  Result<rpc::Answer> handle(rpc::ServerCall& call);
  Result<rpc::Answer> join(const rpc::ServerCall& call);
  Result<rpc::Answer> command(const rpc::ServerCall& call);

  const device::Host host_;
  NodeFiles& files_;
  NodeSecrets secrets_;
  rpc::Security security_;
  // Each uses those before it.
  std::unique_ptr<ConfigStore> config_;
  std::unique_ptr<node::WakeQueue> wake_;
  std::unique_ptr<OwnMember> own_member_;
  std::unique_ptr<etcd::Client> etcd_;
  std::unique_ptr<EtcdRegistry> registry_;
  std::unique_ptr<DeviceSet> devices_;
  std::unique_ptr<block::NodeClients> clients_;
  std::unique_ptr<block::ClusterBlocks> blocks_;
  std::unique_ptr<FragmentService> fragments_;
  std::unique_ptr<Healer> healer_;
  std::unique_ptr<Scrubber> scrubber_;
  std::unique_ptr<GoneWatch> gone_watch_;
  std::unique_ptr<EtcdMembers> etcd_members_;  // null where etcd is another's
  std::unique_ptr<Admin> admin_;
  CallCounters calls_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<NodeMetrics> metrics_;
  std::unique_ptr<node::HttpServer> http_;  // null: nobody watches
  std::unique_ptr<node::ControlServer> control_;
};

}  // namespace nacre::cluster
