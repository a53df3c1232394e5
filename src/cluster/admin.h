// The commands of operators, answered by a node: over its control socket all of them, and over the
// network those that change nothing but pools and what clients may change anyway. Arguments and
// results are JSON; the protocol is node/protocol.h. Safe from any thread.
//
//   node_list                    nodes of the cluster
//   node_forget {node}           one that is gone for good
//   node_status                  this node
//   node_token {ttl_s, client}   a join token
//   node_stop                    ends the process
//   cluster_status               nodes, devices, pools and how well they are
//   device_list, device_query {device}          device_usage: of this node alone
//   device_add {path, size, force}, device_remove {device}
//   pool_add {code}              a pool for blocks of that code, if there is none
//   fragment_corrupt {...}       damages a fragment of this node: corrupt.h
#pragma once

#include <atomic>
#include <functional>

#include "block/node_clients.h"
#include "cluster/config_store.h"
#include "cluster/device_set.h"
#include "cluster/etcd_members.h"
#include "cluster/etcd_registry.h"
#include "cluster/fragment_service.h"
#include "cluster/healer.h"
#include "cluster/scrubber.h"
#include "node/protocol.h"

namespace nacre::cluster {

class Admin {
 public:
  // All outlive it.
  struct Parts {
    device::Host host;
    ConfigStore& config;
    const NodeSecrets& secrets;
    EtcdRegistry& registry;
    DeviceSet& devices;
    FragmentService& fragments;
    Healer& healer;
    Scrubber& scrubber;
    block::NodeClients& clients;
    EtcdMembers* etcd_members;  // null: the cluster's etcd is another's
    std::function<void()> stop;
  };

  explicit Admin(Parts parts) : parts_(std::move(parts)) {}

  Result<node::Json> handle(const node::Request& request, node::Events& events);
  // kAccess for what may be asked on the node itself alone.
  Result<node::Json> handle_remote(const node::Request& request, node::Events& events);
  bool is_stopping() const { return stopping_; }
  // Puts the node's devices into the map if they were never there, and closes those that were and
  // are there no more: they were removed.
  Status settle_devices();

 private:
  Result<node::Json> node_list();
  Result<node::Json> node_forget(node::Arguments& arguments);
  Result<node::Json> node_status();
  Result<node::Json> node_token(node::Arguments& arguments);
  Result<node::Json> cluster_status();
  Result<node::Json> device_list();
  Result<node::Json> device_query(node::Arguments& arguments);
  Result<node::Json> device_add(node::Arguments& arguments);
  Result<node::Json> device_remove(node::Arguments& arguments);
  Result<node::Json> device_usage();
  Result<node::Json> pool_add(node::Arguments& arguments);
  Status settle() REQUIRES(mutex_);
  Status enroll(const std::vector<OpenDevice>& devices);
  node::Json describe(const block::ClusterView& view, const wire::ClusterDevice& device,
                      const node::Json& usage);
  // Null where etcd is another's.
  node::Json etcd_status();
  node::Json usage_everywhere(const block::ClusterView& view);

  const Parts parts_;
  std::atomic<bool> stopping_ = false;
  os::Mutex mutex_;  // one changes the node's devices at a time
};

}  // namespace nacre::cluster
