// The commands on devices.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "block/cluster_calls.h"
#include "cluster/admin.h"
#include "cluster/ids.h"
#include "cluster/layout_changes.h"
#include "rpc/call_group.h"

namespace nacre::cluster {

using node::Json;

namespace {

constexpr int64_t kUsageLimitNs = 2'000'000'000;

const char* name_of(wire::DeviceState state) {
  switch (state) {
    case wire::DeviceState::kIn:
      return "in use";
    case wire::DeviceState::kLeaving:
      return "leaving";
    case wire::DeviceState::kFailed:
      return "failed";
    case wire::DeviceState::kOut:
      return "out";
  }
  return "unknown";
}

}  // namespace

// What only the node that has a device knows of it.
Result<Json> Admin::device_usage() {
  Json usage = Json::object();
  for (const OpenDevice& open : parts_.devices.list()) {
    device::Device& device = *open.device;
    const device::Identity identity = device.identity();
    const device::Space space = device.space();
    const device::Health health = device.health();
    const bool good = !health.failed && health.corrupt_reads == 0 && health.io_errors == 0 &&
                      health.damaged_segments == 0 && health.lost_places == 0;
    usage[to_hex(identity.device)] = {
        {"path", open.path},
        {"kind", identity.backing == wire::BackingKind::kDirectory ? "directory" : "image"},
        {"capacity_bytes", space.capacity_bytes},
        {"used_bytes", space.used_bytes},
        {"live_bytes", space.live_bytes},
        {"free_bytes", space.free_bytes},
        {"segment_bytes", identity.segment_bytes},
        {"segments", identity.segment_count},
        {"records", device.usage().records},
        {"health", health.failed ? "failed"
                   : good        ? "good"
                                 : "damaged"},
        {"corrupt_reads", health.corrupt_reads},
        {"io_errors", health.io_errors},
        {"damaged_segments", health.damaged_segments},
        {"lost_places", health.lost_places}};
  }
  return usage;
}

// Of all nodes that answer.
Json Admin::usage_everywhere(const block::ClusterView& view) {
  Json all = device_usage().take();
  const wire::NodeId self = parts_.config.get().node;
  rpc::CallGroup calls(parts_.host.clock);
  const int64_t deadline_ns = parts_.host.clock.monotonic_ns() + kUsageLimitNs;
  for (const wire::ClusterNode& node : view.map.nodes) {
    if (node.id == self || !view.up.contains(node.id)) continue;
    const auto client = parts_.clients.of(node);
    if (!client.ok()) continue;
    calls.start(**client,
                {.method = static_cast<uint16_t>(block::Method::kCommand),
                 .header = node::to_line(node::encode({.command = "device_usage"})),
                 .deadline_ns = deadline_ns},
                0);
  }
  while (auto finished = calls.next(deadline_ns)) {
    if (!finished->result.ok()) continue;
    const auto usage = node::parse_object(finished->result->header);
    if (usage.ok()) all.update(*usage);
  }
  return all;
}

Json Admin::describe(const block::ClusterView& view, const wire::ClusterDevice& device,
                     const Json& usage) {
  const wire::ClusterNode* const node = view.map.find_node(device.node);
  const bool up = view.is_up(device.number);
  Json row = {{"id", to_hex(device.id)},
              {"number", device.number.value},
              {"node", to_hex(device.node)},
              {"node_name", node == nullptr ? "" : node->name},
              {"state", up || device.state != wire::DeviceState::kIn ? name_of(device.state)
                                                                     : "out of reach"},
              {"weight_bytes", device.weight_bytes}};
  uint64_t groups = 0;
  uint64_t moving = 0;
  for (const auto& [pool, table] : view.tables) {
    for (uint32_t pg = 0; pg < table.size(); ++pg) {
      groups += static_cast<uint64_t>(std::ranges::count(table.devices(pg), device.number));
      moving += static_cast<uint64_t>(std::ranges::count(table.sources(pg), device.number));
    }
  }
  row["groups"] = groups;
  row["groups_leaving"] = moving;
  const auto known = usage.find(to_hex(device.id));
  if (known != usage.end()) row.update(*known);
  return row;
}

Result<Json> Admin::device_list() {
  const auto view = parts_.registry.view();
  const Json usage = usage_everywhere(*view);
  Json devices = Json::array();
  for (const wire::ClusterDevice& device : view->map.devices) {
    devices.push_back(describe(*view, device, usage));
  }
  return Json{{"devices", std::move(devices)}};
}

// By its id or, on this node, by its path.
Result<Json> Admin::device_query(node::Arguments& arguments) {
  const std::string wanted = TRY(arguments.text("device"));
  TRY(arguments.finish());
  const auto view = parts_.registry.view();
  const Json usage = usage_everywhere(*view);
  const wire::NodeId self = parts_.config.get().node;
  for (const wire::ClusterDevice& device : view->map.devices) {
    Json row = describe(*view, device, usage);
    const bool here = device.node == self && row.value("path", "") == wanted;
    if (here || row["id"] == wanted) return row;
  }
  return Error(Code::kNotFound, "there is no device " + wanted);
}

Result<Json> Admin::device_add(node::Arguments& arguments) {
  const std::string path = TRY(arguments.text("path"));
  const uint64_t size = TRY(arguments.optional_number("size")).value_or(0);
  const bool force = TRY(arguments.flag("force"));
  TRY(arguments.finish());
  const os::Lock lock(mutex_);
  const NodeConfig config = parts_.config.get();
  const auto known = std::ranges::find(config.devices, path);
  if (known != config.devices.end()) {
    return Error(Code::kExists, path + " is a device of this node already");
  }
  const auto made = TRY(device::Device::format(
      parts_.host, path,
      {.volume = config.cluster, .force = force, .backing = {}, .capacity_bytes = size}));
  TRY(parts_.devices.open(path));
  TRY(parts_.config.change([&](NodeConfig& to) { to.devices.push_back(path); }));
  TRY(settle());
  const auto device = TRY(parts_.devices.find(made.device));
  return Json{{"id", to_hex(made.device)},
              {"path", path},
              {"capacity_bytes", device->space().capacity_bytes}};
}

Status Admin::settle_devices() {
  const os::Lock lock(mutex_);
  return settle();
}

Status Admin::settle() {
  NodeConfig config = parts_.config.get();
  const auto view = parts_.registry.view();
  std::vector<OpenDevice> fresh;
  for (const OpenDevice& open : parts_.devices.list()) {
    const wire::DeviceId id = open.device->identity().device;
    const bool in_map = std::ranges::find(view->map.devices, id, &wire::ClusterDevice::id) !=
                        view->map.devices.end();
    const auto enrolled = std::ranges::find(config.enrolled, to_hex(id));
    if (enrolled == config.enrolled.end()) {
      config.enrolled.push_back(to_hex(id));
      if (!in_map) fresh.push_back(open);
    } else if (!in_map) {
      spdlog::info("device {} at {} was removed from the cluster", to_hex(id), open.path);
      config.enrolled.erase(enrolled);
      std::erase(config.devices, open.path);
      parts_.devices.forget(id);
    }
  }
  if (!fresh.empty()) TRY(enroll(fresh));
  const bool out = std::ranges::any_of(view->map.devices, [&](const wire::ClusterDevice& device) {
    return device.node == config.node && device.state == wire::DeviceState::kOut;
  });
  if (out) {
    spdlog::warn("this node was away for so long that it was given up; its devices are in again");
    TRY(parts_.registry.change(
        [&](ClusterState& state) { return set_node_out(state, config.node, false); }));
  }
  // Nobody else changes these.
  return parts_.config.change([&](NodeConfig& to) {
    to.devices = config.devices;
    to.enrolled = config.enrolled;
  });
}

Status Admin::enroll(const std::vector<OpenDevice>& devices) {
  const wire::NodeId self = parts_.config.get().node;
  return parts_.registry.change([&](ClusterState& state) -> Status {
    for (const OpenDevice& open : devices) {
      TRY(add_device(state, open.device->identity().device, self,
                     open.device->space().capacity_bytes));
    }
    return {};
  });
}

// Its data goes elsewhere first; once nothing is left the cluster forgets it.
Result<Json> Admin::device_remove(node::Arguments& arguments) {
  const auto id = TRY(parse_id<wire::DeviceId>(TRY(arguments.text("device"))));
  const bool failed = TRY(arguments.flag("failed"));
  TRY(arguments.finish());
  TRY(parts_.registry.change([&](ClusterState& state) -> Status {
    TRY(set_device_state(state, id,
                         failed ? wire::DeviceState::kFailed : wire::DeviceState::kLeaving));
    return forget_empty_devices(state);
  }));
  return Json{{"id", to_hex(id)}};
}

}  // namespace nacre::cluster
