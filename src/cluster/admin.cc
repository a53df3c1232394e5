#include "cluster/admin.h"

#include <algorithm>
#include <set>

#include "block/cluster_calls.h"
#include "cluster/corrupt.h"
#include "cluster/ids.h"
#include "cluster/layout_changes.h"
#include "rpc/call_group.h"
#include "rpc/join_token.h"

namespace nacre::cluster {
namespace {

using node::Json;

constexpr uint64_t kDefaultTtlS = 24 * 60 * 60;
constexpr uint64_t kMaxTtlS = 365 * kDefaultTtlS;
constexpr int64_t kSecond = 1'000'000'000;

bool is_remote(const std::string& command) {
  static const std::set<std::string> kRemote = {"cluster_status", "node_list", "device_list",
                                                "device_usage",   "pool_add",  "fragment_corrupt"};
  return kRemote.contains(command);
}

}  // namespace

Result<Json> Admin::handle_remote(const node::Request& request, node::Events& events) {
  if (!is_remote(request.command)) {
    return Error(Code::kAccess, "'" + request.command + "' may be asked on the node itself alone");
  }
  return handle(request, events);
}

Result<Json> Admin::handle(const node::Request& request, node::Events&) {
  node::Arguments arguments(request.arguments);
  const std::string& command = request.command;
  if (command == "node_token") return node_token(arguments);
  if (command == "node_forget") return node_forget(arguments);
  if (command == "device_query") return device_query(arguments);
  if (command == "device_add") return device_add(arguments);
  if (command == "device_remove") return device_remove(arguments);
  if (command == "pool_add") return pool_add(arguments);
  if (command == "fragment_corrupt") return corrupt_fragment(parts_.devices, arguments);
  TRY(arguments.finish());
  if (command == "node_list") return node_list();
  if (command == "node_status") return node_status();
  if (command == "cluster_status") return cluster_status();
  if (command == "device_list") return device_list();
  if (command == "device_usage") return device_usage();
  if (command == "node_stop") {
    stopping_ = true;
    parts_.stop();
    return Json{{node::kClosingField, true}};
  }
  return Error(Code::kInvalid, "there is no command '" + command + "'");
}

Result<Json> Admin::node_list() {
  const auto view = parts_.registry.view();
  Json nodes = Json::array();
  for (const wire::ClusterNode& node : view->map.nodes) {
    const auto devices = std::ranges::count(view->map.devices, node.id, &wire::ClusterDevice::node);
    nodes.push_back({{"id", to_hex(node.id)},
                     {"name", node.name},
                     {"zone", node.zone},
                     {"address", node.addresses.empty() ? "" : node.addresses.front()},
                     {"up", view->up.contains(node.id)},
                     {"devices", devices}});
  }
  return Json{{"nodes", std::move(nodes)}};
}

// One that runs would only enter itself again.
Result<Json> Admin::node_forget(node::Arguments& arguments) {
  const auto id = TRY(parse_id<wire::NodeId>(TRY(arguments.text("node"))));
  TRY(arguments.finish());
  if (parts_.registry.view()->up.contains(id)) {
    return Error(Code::kBusy, "node " + to_hex(id) + " is up; `nacre node stop` it first");
  }
  TRY(parts_.registry.change([&](ClusterState& state) { return forget_node(state, id); }));
  return Json{{"id", to_hex(id)}};
}

Result<Json> Admin::node_status() {
  const FragmentCounters counters = parts_.fragments.counters();
  const HealStatus heal = parts_.healer.status();
  const ScrubStatus scrub = parts_.scrubber.status();
  const std::optional<Error> trouble = parts_.registry.trouble();
  const NodeConfig config = parts_.config.get();
  return Json{{"id", to_hex(config.node)},
              {"cluster", to_hex(config.cluster)},
              {"name", config.name},
              {"zone", config.zone},
              {"listen", config.listen},
              {"address", config.advertise},
              {"secure", !config.insecure},
              {"etcd", config.etcd},
              {"etcd_members", etcd_status()},
              {"etcd_trouble", trouble ? Json(trouble->to_string()) : Json()},
              {"devices", parts_.devices.list().size()},
              {"puts", counters.puts},
              {"gets", counters.gets},
              {"removals", counters.removals},
              {"put_bytes", counters.put_bytes},
              {"get_bytes", counters.get_bytes},
              {"healing",
               {{"caught_up", heal.caught_up},
                {"groups_waiting", heal.groups_waiting},
                {"fragments_rebuilt", heal.fragments_rebuilt},
                {"bytes_rebuilt", heal.bytes_rebuilt},
                {"fragments_repaired", heal.fragments_repaired},
                {"fragments_swept", heal.fragments_swept},
                {"trouble", heal.trouble.empty() ? Json() : Json(heal.trouble)}}},
              {"scrubbing",
               {{"passes", scrub.passes},
                {"blocks", scrub.blocks},
                {"incomplete", scrub.incomplete},
                {"garbage_removed", scrub.garbage_removed},
                {"marks_forgotten", scrub.marks_forgotten},
                {"trouble", scrub.trouble.empty() ? Json() : Json(scrub.trouble)}}}};
}

Result<Json> Admin::node_token(node::Arguments& arguments) {
  const uint64_t ttl_s = TRY(arguments.optional_number("ttl_s")).value_or(kDefaultTtlS);
  const bool client = TRY(arguments.flag("client"));
  TRY(arguments.finish());
  if (ttl_s == 0 || ttl_s > kMaxTtlS) {
    return Error(Code::kInvalid, "a token is good for up to a year");
  }
  const NodeConfig config = parts_.config.get();
  rpc::JoinToken token{.cluster = config.cluster,
                       .role = client ? rpc::Role::kClient : rpc::Role::kNode};
  token.expires = {parts_.host.clock.now().ns + static_cast<int64_t>(ttl_s) * kSecond};
  token.ca_fingerprint = config.insecure
                             ? std::string(32, '\0')
                             : TRY(rpc::fingerprint(parts_.secrets.authority.certificate));
  return Json{{"token", rpc::seal_token(token, parts_.secrets.token_key)},
              {"address", config.advertise},
              {"ttl_s", ttl_s}};
}

Result<Json> Admin::pool_add(node::Arguments& arguments) {
  const codec::ErasureCode code = TRY(codec::parse_code(TRY(arguments.text("code"))));
  TRY(arguments.finish());
  TRY(parts_.registry.change([&](ClusterState& state) { return ensure_pool(state, code); }));
  return Json{{"code", codec::to_string(code)}};
}

}  // namespace nacre::cluster
