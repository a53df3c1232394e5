// What a node tells Prometheus. docs/metrics.md lists it, and a test holds that list to be exact.
// For one thread, which waits for nothing: no index is scanned and nobody is asked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster/call_counters.h"
#include "cluster/config_store.h"
#include "cluster/device_set.h"
#include "cluster/etcd_registry.h"
#include "cluster/fragment_service.h"
#include "cluster/healer.h"
#include "cluster/node_health.h"
#include "cluster/scrubber.h"
#include "node/http_server.h"
#include "os/clock.h"
#include "place/health.h"
#include "rpc/server.h"

namespace nacre::cluster {

class NodeMetrics {
 public:
  // All outlive it.
  struct Parts {
    os::Clock& clock;
    ConfigStore& config;
    EtcdRegistry& registry;
    DeviceSet& devices;
    FragmentService& fragments;
    Healer& healer;
    Scrubber& scrubber;
    rpc::Server& server;
    const CallCounters& calls;
  };

  explicit NodeMetrics(const Parts& parts);

  node::HttpAnswer metrics();
  // 200 "ok", or 503 with ailment_of() in one line.
  node::HttpAnswer health();

 private:
  void write_node(node::MetricsText& to, bool well);
  void write_fragments(node::MetricsText& to);
  void write_healing(node::MetricsText& to, const HealStatus& healing);
  void write_scrubbing(node::MetricsText& to);
  void write_devices(node::MetricsText& to, const std::vector<DeviceCondition>& devices);
  void write_cluster(node::MetricsText& to);
  void write_groups(node::MetricsText& to);
  void write_process(node::MetricsText& to);

  const Parts parts_;
  const Timestamp started_;
  const int64_t started_ns_;

  // How well the pools are changes with the view, and is counted once for each.
  std::shared_ptr<const block::ClusterView> counted_;
  std::vector<place::PoolHealth> pools_;
};

}  // namespace nacre::cluster
