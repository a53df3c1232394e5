#include "cluster/node.h"

#include <arpa/inet.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cluster/founding.h"
#include "cluster/layout_changes.h"
#include "os/tcp.h"
#include "rpc/join_token.h"

namespace nacre::cluster {
namespace {

std::optional<etcd::TlsFiles> tls_files(const NodeFiles& files, const NodeConfig& config) {
  if (config.insecure) return std::nullopt;
  return etcd::TlsFiles{.ca_file = files.path("tls/ca.crt"),
                        .certificate_file = files.path("tls/node.crt"),
                        .key_file = files.path("tls/node.key")};
}

}  // namespace

Result<std::unique_ptr<Node>> Node::start(device::Host host, NodeFiles& files,
                                          const NodeOptions& options) {
  std::unique_ptr<Node> node(new Node(host, files));
  auto config = TRY(files.config());
  if (!config) return Error(Code::kNotFound, "there is no node in " + files.directory());
  node->config_ = std::move(*config);
  node->secrets_ = TRY(files.secrets());
  node->security_.cluster = node->config_.cluster;
  if (!node->config_.insecure) {
    node->security_.tls = TRY(rpc::TlsContext::make(TRY(files.credentials())));
  }
  node->wake_ = TRY(node::WakeQueue::open());
  TRY(node->start_etcd(options));
  TRY(node->open_registry(options));
  TRY(node->open_devices());
  TRY(node->enroll());
  TRY(node->serve());
  return node;
}

Node::~Node() = default;

Status Node::start_etcd(const NodeOptions& options) {
  const auto tls = tls_files(files_, config_);
  if (!config_.etcd_client_address.empty()) {
    etcd::MemberOptions member{.cluster = to_hex(config_.cluster),
                               .name = to_hex(config_.node),
                               .data_dir = files_.path("etcd"),
                               .client_address = config_.etcd_client_address,
                               .client_advertised = config_.etcd.front(),
                               .peer_address = config_.etcd_peer_address,
                               .joins = config_.etcd_joins,
                               .tls = tls,
                               .log_path = files_.path("etcd.log")};
    for (const std::string& text : config_.etcd_members) {
      const size_t equals = text.find('=');
      if (equals == std::string::npos) continue;
      member.initial_cluster.push_back({text.substr(0, equals), text.substr(equals + 1)});
      if (member.initial_cluster.back().name == member.name) {
        member.peer_advertised = member.initial_cluster.back().address;
      }
    }
    member_ = TRY(etcd::Member::start(member, std::chrono::nanoseconds(options.etcd_limit_ns)));
  }
  etcd_ = TRY(etcd::Client::open({.endpoints = config_.etcd, .tls = tls}));
  return {};
}

// The first node of a cluster makes it, at its first start.
Status Node::open_registry(const NodeOptions& options) {
  auto opened = EtcdRegistry::open(*etcd_, host_.clock, config_.cluster, options.etcd_limit_ns);
  if (!opened.ok() && opened.code() == Code::kNotFound && !config_.etcd_joins) {
    ClusterState state;
    state.map.cluster = config_.cluster;
    state.map.epoch = 1;
    const Status created = EtcdRegistry::create(*etcd_, state);
    if (!created.ok() && created.code() != Code::kExists) return created;
    opened = EtcdRegistry::open(*etcd_, host_.clock, config_.cluster, options.etcd_limit_ns);
  }
  if (!opened.ok()) return opened.error();
  registry_ = opened.take();
  return {};
}

// A device that does not open is left out: the others serve, and the cluster heals.
Status Node::open_devices() {
  devices_ = std::make_unique<DeviceSet>(host_, config_.cluster);
  for (const std::string& path : config_.devices) {
    const auto opened = devices_->open(path);
    if (opened.ok()) continue;
    if (opened.code() == Code::kInvalid || opened.code() == Code::kBusy) return opened.error();
    spdlog::error("device {} is out of use: {}", path, opened.error().to_string());
  }
  return {};
}

// Says who it is, in case that is not known or has changed.
Status Node::enroll() {
  return registry_->change([this](ClusterState& state) -> Status {
    const wire::ClusterNode self{.id = config_.node,
                                 .zone = config_.zone,
                                 .name = config_.name,
                                 .addresses = {config_.advertise}};
    const wire::ClusterNode* const known = state.map.find_node(config_.node);
    if (known != nullptr && *known == self) return {};
    return put_node(state, self);
  });
}

Status Node::serve() {
  clients_ = std::make_unique<block::NodeClients>(host_.clock, security_);
  blocks_ =
      std::make_unique<block::ClusterBlocks>(host_.clock, host_.random, *registry_, *clients_);
  fragments_ = std::make_unique<FragmentService>(
      *devices_, *registry_, [this](const block::FragmentPlace& place) { healer_->ask(place); });
  healer_ = std::make_unique<Healer>(host_.clock, *registry_, *blocks_, *clients_, *devices_,
                                     *fragments_);
  admin_ = std::make_unique<Admin>(Admin::Parts{.host = host_,
                                                .files = files_,
                                                .config = config_,
                                                .secrets = secrets_,
                                                .registry = *registry_,
                                                .devices = *devices_,
                                                .fragments = *fragments_,
                                                .healer = *healer_,
                                                .clients = *clients_,
                                                .stop = [this] { wake_->wake(); }});
  server_ = TRY(rpc::Server::start(
      host_.clock, TRY(os::parse_address(config_.listen)), security_,
      {.handle = [this](rpc::ServerCall& call) { return handle(call); },
       .guests_may =
           [](uint16_t method) { return method == static_cast<uint16_t>(block::Method::kJoin); }}));
  control_ =
      TRY(node::ControlServer::start(files_.control_path(),
                                     [this](const node::Request& request, node::Events& events) {
                                       return admin_->handle(request, events);
                                     },
                                     {.owner = ::geteuid()}));
  TRY(admin_->settle_devices());
  registry_->set_listener([this] {
    healer_->look_again();
    wake_->wake();
  });
  healer_->start();
  registry_->announce(config_.node);
  spdlog::info("node {} of cluster {} listens at {}", to_hex(config_.node), to_hex(config_.cluster),
               config_.listen);
  return {};
}

Result<rpc::Answer> Node::handle(rpc::ServerCall& call) {
  switch (static_cast<block::Method>(call.method)) {
    case block::Method::kGetMap: {
      const std::string bytes = block::encode_view(*registry_->view());
      rpc::Buffer payload(bytes.size());
      std::ranges::copy(as_bytes(bytes), payload.bytes().begin());
      return rpc::Answer{.payload = rpc::Payload::of(std::move(payload))};
    }
    case block::Method::kJoin:
      return join(call);
    case block::Method::kCommand:
      return command(call);
    default:
      return fragments_->handle(call);
  }
}

Result<rpc::Answer> Node::join(const rpc::ServerCall& call) {
  const JoinRequest request = TRY(decode_join_request(call.header));
  const JoinGrant grant = TRY(grant_join(config_, secrets_, request, host_.clock.now()));
  spdlog::info("{} at {} joins as a {}", request.name, call.peer.address,
               grant.role == rpc::Role::kNode ? "node" : "client");
  return rpc::Answer{.header = encode(grant)};
}

Result<rpc::Answer> Node::command(const rpc::ServerCall& call) {
  class Quiet final : public node::Events {
   public:
    bool progress(const node::Progress&) override { return true; }
    bool item(node::Json) override { return true; }
  };
  const node::Request request = TRY(node::decode_request(call.header));
  Quiet events;
  return rpc::Answer{.header = node::to_line(TRY(admin_->handle_remote(request, events)))};
}

Status Node::run() {
  while (!admin_->is_stopping()) {
    if (wake_->wait(std::nullopt) == node::WakeQueue::Event::kSignal) break;
    const Status settled = admin_->settle_devices();
    if (!settled.ok()) spdlog::warn("{}", settled.error().to_string());
  }
  spdlog::info("stopping");
  registry_->set_listener({});
  registry_->withdraw();
  healer_->stop();
  server_->stop();
  const Status closed = devices_->close();
  control_->stop();
  if (member_ != nullptr) member_->stop();
  control_->farewell(closed);
  spdlog::info("stopped");
  return closed;
}

}  // namespace nacre::cluster
