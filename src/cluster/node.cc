#include "cluster/node.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cluster/founding.h"
#include "cluster/layout_changes.h"
#include "os/tcp.h"
#include "rpc/join_token.h"

namespace nacre::cluster {
namespace {

constexpr auto kEtcdTryLimit = std::chrono::milliseconds(500);

}  // namespace

Result<std::unique_ptr<Node>> Node::start(device::Host host, NodeFiles& files,
                                          const NodeOptions& options) {
  std::unique_ptr<Node> node(new Node(host, files));
  auto config = TRY(files.config());
  if (!config) return Error(Code::kNotFound, "there is no node in " + files.directory());
  const bool insecure = config->insecure;
  node->security_.cluster = config->cluster;
  node->config_ = std::make_unique<ConfigStore>(files, std::move(*config));
  node->secrets_ = TRY(files.secrets());
  if (!insecure) {
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
  own_member_ = std::make_unique<OwnMember>(files_, *config_);
  TRY(own_member_->start());
  const NodeConfig config = config_->get();
  etcd_ = TRY(etcd::Client::open({.endpoints = config.etcd, .tls = etcd_tls(files_, config)}));
  return wait_for_etcd(options);
}

// Other nodes may have to start before there is a majority. A member of this node that fails keeps
// it back only if there is no other.
Status Node::wait_for_etcd(const NodeOptions& options) {
  const int64_t until_ns = host_.clock.monotonic_ns() + options.etcd_limit_ns;
  const size_t members = config_->get().etcd.size();
  for (;;) {
    const auto answer =
        etcd_->page({.lower = kEtcdPrefix}, {.rows_max = 1, .deadline = kEtcdTryLimit});
    if (answer.ok()) return {};
    const auto failure = own_member_->failure();
    if (failure && members == 1) return *failure;
    if (host_.clock.monotonic_ns() < until_ns) continue;
    std::string what = "etcd does not answer: ";
    if (own_member_->runs() && members > 1) {
      what += fmt::format("{} of the {} nodes that run it must run; start the others; ",
                          members / 2 + 1, members);
    }
    return Error(Code::kTimeout, what + answer.error().context());
  }
}

// The first node of a cluster makes it, at its first start.
Status Node::open_registry(const NodeOptions& options) {
  const NodeConfig config = config_->get();
  auto opened = EtcdRegistry::open(*etcd_, host_.clock, config.cluster, options.etcd_limit_ns);
  if (!opened.ok() && opened.code() == Code::kNotFound && !config.etcd_joins) {
    ClusterState state;
    state.map.cluster = config.cluster;
    state.map.epoch = 1;
    const Status created = EtcdRegistry::create(*etcd_, state);
    if (!created.ok() && created.code() != Code::kExists) return created;
    opened = EtcdRegistry::open(*etcd_, host_.clock, config.cluster, options.etcd_limit_ns);
  }
  if (!opened.ok()) return opened.error();
  registry_ = opened.take();
  return {};
}

// A device that does not open is left out: the others serve, and the cluster heals.
Status Node::open_devices() {
  const NodeConfig config = config_->get();
  devices_ = std::make_unique<DeviceSet>(host_, config.cluster);
  for (const std::string& path : config.devices) {
    const auto opened = devices_->open(path);
    if (opened.ok()) continue;
    if (opened.code() == Code::kInvalid || opened.code() == Code::kBusy) return opened.error();
    spdlog::error("device {} is out of use: {}", path, opened.error().to_string());
  }
  return {};
}

// Says who it is, in case that is not known or has changed.
Status Node::enroll() {
  const NodeConfig config = config_->get();
  const wire::ClusterNode self{
      .id = config.node, .zone = config.zone, .name = config.name, .addresses = {config.advertise}};
  return registry_->change([&](ClusterState& state) -> Status {
    const wire::ClusterNode* const known = state.map.find_node(self.id);
    if (known != nullptr && *known == self) return {};
    return put_node(state, self);
  });
}

Status Node::serve() {
  const NodeConfig config = config_->get();
  clients_ = std::make_unique<block::NodeClients>(host_.clock, security_);
  blocks_ =
      std::make_unique<block::ClusterBlocks>(host_.clock, host_.random, *registry_, *clients_);
  const auto grace_ns = static_cast<int64_t>(config.scrub_grace_s) * 1'000'000'000;
  fragments_ = std::make_unique<FragmentService>(
      host_.clock, *devices_, *registry_,
      [this](const block::FragmentPlace& place) { healer_->ask(place); }, grace_ns);
  healer_ = std::make_unique<Healer>(host_.clock, *registry_, *blocks_, *clients_, *devices_,
                                     *fragments_);
  scrubber_ = std::make_unique<Scrubber>(Scrubber::Parts{.clock = host_.clock,
                                                         .views = *registry_,
                                                         .blocks = *blocks_,
                                                         .clients = *clients_,
                                                         .devices = *devices_,
                                                         .fragments = *fragments_},
                                         ScrubberOptions{.grace_ns = grace_ns});
  gone_watch_ = std::make_unique<GoneWatch>(
      host_.clock, *registry_, static_cast<int64_t>(config.out_after_s) * 1'000'000'000);
  if (!config.etcd_client_address.empty()) {
    etcd_members_ = TRY(EtcdMembers::open({.clock = host_.clock,
                                           .files = files_,
                                           .config = *config_,
                                           .own = *own_member_,
                                           .client = *etcd_,
                                           .registry = *registry_}));
  }
  admin_ = std::make_unique<Admin>(Admin::Parts{.host = host_,
                                                .config = *config_,
                                                .secrets = secrets_,
                                                .registry = *registry_,
                                                .devices = *devices_,
                                                .fragments = *fragments_,
                                                .healer = *healer_,
                                                .scrubber = *scrubber_,
                                                .clients = *clients_,
                                                .etcd_members = etcd_members_.get(),
                                                .stop = [this] { wake_->wake(); }});
  TRY(serve_calls());
  TRY(serve_metrics());
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
  scrubber_->start();
  gone_watch_->start();
  registry_->announce(config.node, [this] { healer_->was_away(); });
  if (etcd_members_) etcd_members_->start();
  spdlog::info("node {} of cluster {} listens at {}", to_hex(config.node), to_hex(config.cluster),
               config.listen);
  return {};
}

Status Node::serve_calls() {
  const os::Address at = TRY(os::parse_address(config_->get().listen));
  server_ = TRY(rpc::Server::start(
      host_.clock, at, security_,
      {.handle = [this](rpc::ServerCall& call) { return handle(call); },
       .guests_may =
           [](uint16_t method) { return method == static_cast<uint16_t>(block::Method::kJoin); },
       .observe =
           [this](const rpc::ServerCall& call, const Result<rpc::Answer>& answer) {
             calls_.add(call, answer, host_.clock.monotonic_ns());
           }}));
  return {};
}

Status Node::serve_metrics() {
  const std::string address = config_->get().metrics;
  if (address.empty()) return {};
  metrics_ = std::make_unique<NodeMetrics>(NodeMetrics::Parts{.clock = host_.clock,
                                                              .config = *config_,
                                                              .registry = *registry_,
                                                              .devices = *devices_,
                                                              .fragments = *fragments_,
                                                              .healer = *healer_,
                                                              .scrubber = *scrubber_,
                                                              .server = *server_,
                                                              .calls = calls_});
  http_ = TRY(node::HttpServer::start(TRY(os::parse_address(address)),
                                      {{"/metrics", [this] { return metrics_->metrics(); }},
                                       {"/healthz", [this] { return metrics_->health(); }}}));
  spdlog::info("metrics are at http://{}/metrics", address);
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
  const JoinGrant grant = TRY(grant_join(config_->get(), secrets_, request, host_.clock.now()));
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
  if (http_) http_->stop();
  registry_->set_listener({});
  if (etcd_members_) etcd_members_->stop();
  registry_->withdraw();
  gone_watch_->stop();
  scrubber_->stop();
  healer_->stop();
  server_->stop();
  const Status closed = devices_->close();
  control_->stop();
  own_member_->stop();
  control_->farewell(closed);
  spdlog::info("stopped");
  return closed;
}

}  // namespace nacre::cluster
