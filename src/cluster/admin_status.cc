// How well the cluster is, for people and scripts.
#include <algorithm>

#include "cluster/admin.h"
#include "place/health.h"

namespace nacre::cluster {

using node::Json;

namespace {

Json json_of(const wire::Pool& pool, const place::PoolHealth& health) {
  Json groups = Json::object();
  for (size_t state = 0; state < place::kPgStates; ++state) {
    groups[std::string(place::name_of(static_cast<place::PgState>(state)))] = health.groups[state];
  }
  return {{"code", codec::to_string(pool.code)},
          {"groups", pool.pg_count},
          {"state", place::name_of(health.worst())},
          {"groups_by_state", std::move(groups)},
          {"fragments_missing", health.fragments_missing},
          {"fragments_moving", health.fragments_moving}};
}

}  // namespace

Json Admin::etcd_status() {
  if (parts_.etcd_members == nullptr) return {};
  const EtcdMembersStatus status = parts_.etcd_members->status();
  return {{"voters", status.voters},
          {"voters_healthy", status.voters_healthy},
          {"learners", status.learners},
          {"own", status.own.empty() ? Json() : Json(status.own)},
          {"step", status.step},
          {"trouble", status.trouble.empty() ? Json() : Json(status.trouble)}};
}

Result<Json> Admin::cluster_status() {
  const auto view = parts_.registry.view();
  const place::IsUp is_up = [&](wire::DeviceNumber device) { return view->is_up(device); };
  auto worst = place::PgState::kClean;
  Json pools = Json::array();
  for (const wire::Pool& pool : view->map.pools) {
    const place::PoolHealth health = place::health_of(view->tables.at(pool.id), pool.code, is_up);
    worst = std::max(worst, health.worst());
    pools.push_back(json_of(pool, health));
  }
  const Json usage = usage_everywhere(*view);
  uint64_t capacity = 0;
  uint64_t live = 0;
  uint64_t up_devices = 0;
  uint64_t failed_devices = 0;  // take no more writes
  for (const wire::ClusterDevice& device : view->map.devices) {
    capacity += device.weight_bytes;
    up_devices += view->is_up(device.number) ? 1 : 0;
    const auto used = usage.find(to_hex(device.id));
    if (used == usage.end()) continue;
    live += used->value("live_bytes", uint64_t{0});
    failed_devices += used->value("health", "") == "failed" ? 1 : 0;
  }
  const auto up_nodes = std::ranges::count_if(
      view->map.nodes, [&](const wire::ClusterNode& node) { return view->up.contains(node.id); });
  const std::optional<Error> trouble = parts_.registry.trouble();
  return Json{{"cluster", to_hex(view->map.cluster)},
              {"epoch", view->map.epoch},
              // What was so when etcd was last heard of may not be so any more.
              {"state", trouble ? "unknown" : place::name_of(worst)},
              {"nodes", view->map.nodes.size()},
              {"nodes_up", up_nodes},
              {"devices", view->map.devices.size()},
              {"devices_up", up_devices},
              {"devices_failed", failed_devices},
              {"capacity_bytes", capacity},
              {"live_bytes", live},
              {"etcd_members", etcd_status()},
              {"etcd_trouble", trouble ? Json(trouble->to_string()) : Json()},
              {"pools", std::move(pools)}};
}

}  // namespace nacre::cluster
