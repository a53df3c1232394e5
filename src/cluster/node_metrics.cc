#include "cluster/node_metrics.h"

#include <algorithm>

#include "os/process_usage.h"

namespace nacre::cluster {
namespace {

using node::MetricLabels;
using node::MetricsText;
using Kind = MetricsText::Kind;

constexpr double kNsPerSecond = 1e9;

// A family with one sample for each device that is open.
template <class Value>
void each_open(MetricsText& to, const std::vector<DeviceCondition>& devices, const char* name,
               Kind kind, const char* help, Value value) {
  to.family(name, kind, help);
  for (const DeviceCondition& each : devices) {
    if (each.open == nullptr) continue;
    to.sample(value(*each.open),
              {{"device", to_hex(each.open->identity().device)}, {"path", each.path}});
  }
}

}  // namespace

NodeMetrics::NodeMetrics(const Parts& parts)
    : parts_(parts), started_(parts.clock.now()), started_ns_(parts.clock.monotonic_ns()) {}

node::HttpAnswer NodeMetrics::health() {
  const auto ailment =
      ailment_of(parts_.registry.trouble(), conditions_of(parts_.config.get(), parts_.devices),
                 parts_.healer.status());
  if (ailment) return {.status = 503, .body = *ailment + "\n"};
  return {.body = "ok\n"};
}

node::HttpAnswer NodeMetrics::metrics() {
  const HealStatus healing = parts_.healer.status();
  const auto devices = conditions_of(parts_.config.get(), parts_.devices);
  MetricsText to;
  write_node(to, !ailment_of(parts_.registry.trouble(), devices, healing));
  parts_.calls.write(to);
  write_fragments(to);
  write_healing(to, healing);
  write_scrubbing(to);
  write_devices(to, devices);
  write_cluster(to);
  write_groups(to);
  write_process(to);
  return {.type = node::kMetricsType, .body = to.take()};
}

void NodeMetrics::write_node(MetricsText& to, bool well) {
  const NodeConfig config = parts_.config.get();
  to.family("nacre_node_info", Kind::kGauge, "Who the node is; always 1.");
  to.sample(1, {{"id", to_hex(config.node)},
                {"name", config.name},
                {"zone", config.zone},
                {"cluster", to_hex(config.cluster)},
                {"version", NACRE_VERSION}});
  const auto up_ns = static_cast<double>(parts_.clock.monotonic_ns() - started_ns_);
  to.one("nacre_node_uptime_seconds", Kind::kGauge, "Since the node serves.", up_ns / kNsPerSecond);
  to.one("nacre_node_healthy", Kind::kGauge, "1 when /healthz says ok, else 0.", well);
  const rpc::ServerCounters server = parts_.server.counters();
  to.one("nacre_rpc_connections", Kind::kGauge, "Open connections of clients and other nodes.",
         server.connections);
  to.one("nacre_rpc_refused_connections_total", Kind::kCounter,
         "Connections that sent garbage, had no good certificate or were too many.",
         server.refused_connections);
}

void NodeMetrics::write_fragments(MetricsText& to) {
  const FragmentCounters counters = parts_.fragments.counters();
  to.one("nacre_fragment_puts_total", Kind::kCounter, "Fragments stored, healed ones included.",
         counters.puts);
  to.one("nacre_fragment_gets_total", Kind::kCounter, "Fragments given out, in parts or whole.",
         counters.gets);
  to.one("nacre_fragment_removals_total", Kind::kCounter, "Fragments removed.", counters.removals);
  to.one("nacre_fragment_put_bytes_total", Kind::kCounter, "Bytes of fragments stored.",
         counters.put_bytes);
  to.one("nacre_fragment_get_bytes_total", Kind::kCounter, "Bytes of fragments given out.",
         counters.get_bytes);
}

void NodeMetrics::write_healing(MetricsText& to, const HealStatus& healing) {
  to.one("nacre_heal_rebuilt_fragments_total", Kind::kCounter,
         "Fragments made that this node was to have and lacked.", healing.fragments_rebuilt);
  to.one("nacre_heal_rebuilt_bytes_total", Kind::kCounter, "Bytes of those.",
         healing.bytes_rebuilt);
  to.one("nacre_heal_repaired_fragments_total", Kind::kCounter,
         "Fragments that were found damaged or missing and made anew.", healing.fragments_repaired);
  to.one("nacre_heal_swept_fragments_total", Kind::kCounter,
         "Fragments dropped because they belong elsewhere by now.", healing.fragments_swept);
  to.one("nacre_heal_waiting_groups", Kind::kGauge,
         "Places in groups that the node has not filled yet.", healing.groups_waiting);
  to.one("nacre_heal_caught_up", Kind::kGauge,
         "1 when what happened while the node was away is made good, else 0.", healing.caught_up);
  to.one("nacre_heal_stuck", Kind::kGauge,
         "1 when something keeps healing back; `nacre node status` says what.",
         !healing.trouble.empty());
}

void NodeMetrics::write_scrubbing(MetricsText& to) {
  const ScrubStatus status = parts_.scrubber.status();
  to.one("nacre_scrub_passes_total", Kind::kCounter,
         "Looks at all groups whose first fragment is on this node.", status.passes);
  to.one("nacre_scrub_blocks_total", Kind::kCounter, "Blocks looked at.", status.blocks);
  to.one("nacre_scrub_incomplete_blocks_total", Kind::kCounter,
         "Blocks that lacked fragments and were given to healing.", status.incomplete);
  to.one("nacre_scrub_garbage_blocks_total", Kind::kCounter,
         "Blocks removed that belonged to nothing.", status.garbage_removed);
  to.one("nacre_scrub_stuck", Kind::kGauge, "1 when the last look left something undone, else 0.",
         !status.trouble.empty());
}

void NodeMetrics::write_devices(MetricsText& to, const std::vector<DeviceCondition>& devices) {
  using device::Device;
  to.family("nacre_device_good", Kind::kGauge,
            "0 when the device does not open (its id is empty then) or takes no writes, else 1.");
  for (const DeviceCondition& each : devices) {
    to.sample(each.good(),
              {{"device", each.open == nullptr ? "" : to_hex(each.open->identity().device)},
               {"path", each.path}});
  }
  each_open(to, devices, "nacre_device_capacity_bytes", Kind::kGauge, "What records may fill.",
            [](Device& device) { return device.space().capacity_bytes; });
  each_open(to, devices, "nacre_device_used_bytes", Kind::kGauge,
            "Bytes of records, removed ones included.",
            [](Device& device) { return device.space().used_bytes; });
  each_open(to, devices, "nacre_device_live_bytes", Kind::kGauge,
            "Bytes of records that are not removed.",
            [](Device& device) { return device.space().live_bytes; });
  each_open(to, devices, "nacre_device_free_bytes", Kind::kGauge,
            "Room for new records, without cleaning.",
            [](Device& device) { return device.space().free_bytes; });
  each_open(to, devices, "nacre_device_records", Kind::kGauge, "Records that are not removed.",
            [](Device& device) { return device.usage().records; });
  each_open(to, devices, "nacre_device_corrupt_reads_total", Kind::kCounter,
            "Reads whose bytes failed their checksum.",
            [](Device& device) { return device.health().corrupt_reads; });
  each_open(to, devices, "nacre_device_io_errors_total", Kind::kCounter,
            "Reads and writes that the machine refused.",
            [](Device& device) { return device.health().io_errors; });
  each_open(to, devices, "nacre_device_damaged_segments", Kind::kGauge,
            "Segments that could not be read when the device was opened, and are out of use.",
            [](Device& device) { return device.health().damaged_segments; });
  each_open(to, devices, "nacre_device_lost_records", Kind::kGauge,
            "Durable records of which nothing was left when the device was opened.",
            [](Device& device) { return device.health().lost_places; });
}

void NodeMetrics::write_cluster(MetricsText& to) {
  const auto view = parts_.registry.view();
  const auto nodes_up = std::ranges::count_if(
      view->map.nodes, [&](const wire::ClusterNode& node) { return view->up.contains(node.id); });
  to.family("nacre_cluster_nodes", Kind::kGauge, "Nodes of the cluster, as this one sees them.");
  to.sample(nodes_up, {{"state", "up"}});
  to.sample(std::ssize(view->map.nodes) - nodes_up, {{"state", "down"}});
  const auto devices_up = std::ranges::count_if(
      view->map.devices,
      [&](const wire::ClusterDevice& device) { return view->is_up(device.number); });
  to.family("nacre_cluster_devices", Kind::kGauge,
            "Devices of the cluster, as this node sees them.");
  to.sample(devices_up, {{"state", "up"}});
  to.sample(std::ssize(view->map.devices) - devices_up, {{"state", "down"}});
  to.one("nacre_cluster_map_epoch", Kind::kGauge, "Of the newest map that the node has.",
         view->map.epoch);
  to.one("nacre_etcd_reachable", Kind::kGauge,
         "0 when the node hears nothing from etcd: what it knows of the cluster may be old.",
         !parts_.registry.trouble());
}

void NodeMetrics::write_groups(MetricsText& to) {
  const auto view = parts_.registry.view();
  if (view != counted_) {
    pools_.clear();
    std::set<wire::DeviceNumber> up;
    for (const wire::ClusterDevice& device : view->map.devices) {
      if (view->is_up(device.number)) up.insert(device.number);
    }
    for (const wire::Pool& pool : view->map.pools) {
      pools_.push_back(
          place::health_of(view->tables.at(pool.id), pool.code,
                           [&](wire::DeviceNumber device) { return up.contains(device); }));
    }
    counted_ = view;
  }
  to.family("nacre_cluster_groups", Kind::kGauge,
            "Placement groups by code and state, as this node sees them.");
  for (size_t i = 0; i < pools_.size(); ++i) {
    for (size_t state = 0; state < place::kPgStates; ++state) {
      to.sample(pools_[i].groups[state],
                {{"code", codec::to_string(view->map.pools[i].code)},
                 {"state", std::string(place::name_of(static_cast<place::PgState>(state)))}});
    }
  }
}

// By the names that all clients of Prometheus give them.
void NodeMetrics::write_process(MetricsText& to) {
  const os::ProcessUsage usage = os::process_usage();
  to.one("process_cpu_seconds_total", Kind::kCounter, "User and system time spent.",
         usage.cpu_seconds);
  to.one("process_resident_memory_bytes", Kind::kGauge, "Resident memory.", usage.resident_bytes);
  to.one("process_virtual_memory_bytes", Kind::kGauge, "Virtual memory.", usage.virtual_bytes);
  to.one("process_threads", Kind::kGauge, "Threads.", usage.threads);
  to.one("process_open_fds", Kind::kGauge, "Open file descriptors.", usage.descriptors);
  to.one("process_max_fds", Kind::kGauge, "How many there may be.", usage.descriptors_max);
  to.one("process_start_time_seconds", Kind::kGauge,
         "When the node began to serve, in seconds since 1970.",
         static_cast<double>(started_.ns) / kNsPerSecond);
}

}  // namespace nacre::cluster
