#include "cluster/founding.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "block/cluster_calls.h"
#include "cluster/ids.h"
#include "os/tcp.h"
#include "rpc/client.h"
#include "rpc/join_token.h"

namespace nacre::cluster {
namespace {

constexpr int64_t kJoinLimitNs = 30'000'000'000;

std::string host_name() {
  std::array<char, 256> name = {};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "node";
  return name.data();
}

bool is_everywhere(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

// What both ways have in common.
Result<NodeConfig> config_of(device::Host host, NodeFiles& files, const NodeWishes& wishes) {
  if (TRY(files.config())) {
    return Error(Code::kExists, "there is a node in " + files.directory() +
                                    " already; `nacre node start` starts it");
  }
  const std::string advertised = wishes.advertise.empty() ? wishes.listen : wishes.advertise;
  TRY(check_addresses(wishes.listen, advertised, wishes.insecure));
  NodeConfig config{.node = make_id<wire::NodeId>(host.random),
                    .name = wishes.name.empty() ? host_name() : wishes.name,
                    .zone = wishes.zone,
                    .listen = wishes.listen,
                    .advertise = advertised,
                    .insecure = wishes.insecure,
                    .etcd = wishes.etcd};
  TRY(apply_settings(wishes, config));
  return config;
}

// A port of the address's host that nobody has.
Result<std::string> free_address(const std::string& host) {
  const auto listener = TRY(os::TcpListener::listen({host, 0}));
  return os::Address{host, listener->port()}.to_string();
}

bool is_free(const std::string& address) {
  const auto parsed = os::parse_address(address);
  return parsed.ok() && os::TcpListener::listen(*parsed).ok();
}

// The first member of etcd, alone.
Status plan_first_member(NodeConfig& config) {
  TRY(choose_etcd_ports(config));
  const std::string host = TRY(os::parse_address(config.advertise)).host;
  const auto advertised = [&](const std::string& address) {
    return os::Address{host, os::parse_address(address)->port}.to_string();
  };
  config.etcd = {advertised(config.etcd_client_address)};
  config.etcd_members = {to_hex(config.node) + "=" + advertised(config.etcd_peer_address)};
  return {};
}

Status make_first_device(device::Host host, const NodeFiles& files, NodeConfig& config) {
  const std::string path = files.path("device");
  // Of an attempt that was cut off before the node was made there may be one: it is empty.
  TRY(device::Device::format(
      host, path,
      {.volume = config.cluster, .force = true, .backing = wire::BackingKind::kDirectory}));
  config.devices = {path};
  return {};
}

struct Invitation {
  std::string token = {};
  rpc::JoinToken says = {};
  os::Address address = {};
  bool insecure = false;
};

Result<Invitation> read_invitation(const std::string& text) {
  const size_t at = text.find('@');
  if (at == std::string::npos) {
    return Error(Code::kInvalid, "'" + text + "' is no invitation: give TOKEN@HOST:PORT");
  }
  Invitation invitation{.token = text.substr(0, at)};
  invitation.says = TRY(rpc::read_token(invitation.token));
  invitation.address = TRY(os::parse_address(text.substr(at + 1)));
  invitation.insecure = invitation.says.ca_fingerprint == std::string(32, '\0');
  if (invitation.insecure && !os::is_loopback(invitation.address)) {
    return Error(Code::kInvalid,
                 "the token is of an insecure cluster, which can be reached on its own machine "
                 "alone");
  }
  return invitation;
}

Result<JoinGrant> ask_to_join(os::Clock& clock, const Invitation& invitation, JoinRequest request) {
  rpc::Security security{.cluster = invitation.says.cluster};
  if (!invitation.insecure) {
    security.tls = TRY(rpc::TlsContext::make_guest(invitation.says.ca_fingerprint));
  }
  request.token = invitation.token;
  rpc::Client client(clock, invitation.address, security);
  const rpc::Reply reply = TRY(client.call({.method = static_cast<uint16_t>(block::Method::kJoin),
                                            .header = encode(request),
                                            .deadline_ns = clock.monotonic_ns() + kJoinLimitNs}));
  return decode_join_grant(reply.header);
}

}  // namespace

Status check_addresses(const std::string& listen, const std::string& advertise, bool insecure) {
  const os::Address here = TRY(os::parse_address(listen));
  const os::Address there = TRY(os::parse_address(advertise));
  if (is_everywhere(there.host)) {
    return Error(Code::kInvalid,
                 "others cannot reach " + advertise + "; say --advertise HOST:PORT");
  }
  if (here.port == 0 || there.port == 0) {
    return Error(Code::kInvalid, "port 0 is none; give one to listen at");
  }
  if (insecure && !(os::is_loopback(here) && os::is_loopback(there))) {
    return Error(Code::kInvalid, "--insecure is for addresses of this machine alone (127.0.0.1)");
  }
  return {};
}

Status apply_settings(const NodeWishes& wishes, NodeConfig& config) {
  if (wishes.etcd_grace_s != 0) config.etcd_grace_s = wishes.etcd_grace_s;
  if (wishes.scrub_grace_s != 0) config.scrub_grace_s = wishes.scrub_grace_s;
  if (wishes.out_after_s) config.out_after_s = *wishes.out_after_s;
  if (wishes.metrics == "off") {
    config.metrics.clear();
  } else if (!wishes.metrics.empty()) {
    const os::Address at = TRY(os::parse_address(wishes.metrics));
    if (at.port == 0) return Error(Code::kInvalid, "port 0 is none; give one for the metrics");
    config.metrics = wishes.metrics;
  }
  if (!wishes.log_level.empty()) config.log.level = wishes.log_level;
  if (wishes.log_bytes != 0) config.log.file_bytes = wishes.log_bytes;
  if (wishes.log_files != 0) config.log.files = wishes.log_files;
  if (const std::string fault = node::fault_of(config.log); !fault.empty()) {
    return Error(Code::kInvalid, fault);
  }
  return {};
}

Status choose_etcd_ports(NodeConfig& config) {
  const os::Address listen = TRY(os::parse_address(config.listen));
  const std::string host = os::is_number(listen.host) ? listen.host : "0.0.0.0";
  for (std::string* const address : {&config.etcd_client_address, &config.etcd_peer_address}) {
    if (!is_free(*address)) *address = TRY(free_address(host));
  }
  return {};
}

Result<NodeConfig> found_cluster(device::Host host, NodeFiles& files, const NodeWishes& wishes) {
  NodeConfig config = TRY(config_of(host, files, wishes));
  config.cluster = make_id<wire::ClusterId>(host.random);
  if (config.etcd.empty()) TRY(plan_first_member(config));
  NodeSecrets secrets{.token_key = rpc::make_token_key()};
  if (!config.insecure) {
    const os::Address advertise = TRY(os::parse_address(config.advertise));
    secrets.authority = TRY(rpc::make_authority("nacre cluster " + to_hex(config.cluster)));
    TRY(files.save(TRY(rpc::issue(
        secrets.authority,
        {.role = rpc::Role::kNode, .name = to_hex(config.node), .hosts = {advertise.host}}))));
  }
  TRY(files.save(secrets));
  if (!wishes.no_device) TRY(make_first_device(host, files, config));
  TRY(files.save(config));
  return config;
}

Result<NodeConfig> join_cluster(device::Host host, NodeFiles& files, const NodeWishes& wishes,
                                const std::string& invitation) {
  const Invitation invited = TRY(read_invitation(invitation));
  NodeWishes adapted = wishes;
  adapted.insecure = invited.insecure;
  NodeConfig config = TRY(config_of(host, files, adapted));
  if (invited.says.role != rpc::Role::kNode) {
    return Error(Code::kAccess,
                 "the token is for clients; `nacre node token` prints one for nodes");
  }
  rpc::SigningRequest key;
  if (!invited.insecure) key = TRY(rpc::make_request());
  const JoinGrant grant = TRY(ask_to_join(host.clock, invited,
                                          {.request = key.request,
                                           .node = config.node,
                                           .name = config.name,
                                           .zone = config.zone,
                                           .advertise = config.advertise}));
  config.cluster = grant.cluster;
  config.etcd = grant.etcd;
  config.etcd_joins = true;
  if (grant.runs_etcd) TRY(choose_etcd_ports(config));
  if (!invited.insecure) {
    TRY(files.save(rpc::Credentials{grant.ca, grant.certificate, key.key}));
  }
  TRY(files.save(grant.secrets));
  if (!wishes.no_device) TRY(make_first_device(host, files, config));
  TRY(files.save(config));
  return config;
}

Result<ClientGrant> join_as_client(os::Clock& clock, const std::string& invitation,
                                   const std::string& name) {
  const Invitation invited = TRY(read_invitation(invitation));
  if (invited.insecure) return ClientGrant{.cluster = invited.says.cluster};
  const rpc::SigningRequest key = TRY(rpc::make_request());
  const JoinGrant grant = TRY(ask_to_join(clock, invited, {.request = key.request, .name = name}));
  return ClientGrant{.cluster = grant.cluster,
                     .credentials = rpc::Credentials{grant.ca, grant.certificate, key.key}};
}

Result<JoinGrant> grant_join(const NodeConfig& config, const NodeSecrets& secrets,
                             const JoinRequest& request, Timestamp now) {
  const rpc::JoinToken token =
      TRY(rpc::open_token(request.token, secrets.token_key, config.cluster, now));
  JoinGrant grant{
      .role = token.role, .cluster = config.cluster, .ca = secrets.authority.certificate};
  const bool node = token.role == rpc::Role::kNode && !request.advertise.empty();
  grant.role = node ? rpc::Role::kNode : rpc::Role::kClient;
  std::vector<std::string> hosts;
  if (node) {
    if (request.node.is_zero()) return Error(Code::kInvalid, "a node that joins has an id");
    hosts = {TRY(os::parse_address(request.advertise)).host};
    grant.secrets = secrets;
    grant.etcd = config.etcd;
    grant.runs_etcd = !config.etcd_client_address.empty();
  }
  if (config.insecure) return grant;
  grant.certificate = TRY(rpc::sign(
      secrets.authority, request.request,
      {.role = grant.role, .name = node ? to_hex(request.node) : request.name, .hosts = hosts}));
  return grant;
}

}  // namespace nacre::cluster
