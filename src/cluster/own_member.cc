#include "cluster/own_member.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>

#include "cluster/founding.h"
#include "os/tcp.h"

namespace nacre::cluster {
namespace {

constexpr const char* kProgram = "etcd";

// The port of `listened`, at the host where others reach the node.
std::string advertised(const NodeConfig& config, const std::string& listened) {
  const auto reached = os::parse_address(config.advertise);
  const auto listens = os::parse_address(listened);
  if (!reached.ok() || !listens.ok()) return listened;
  return os::Address{reached->host, listens->port}.to_string();
}

}  // namespace

std::optional<etcd::TlsFiles> etcd_tls(const NodeFiles& files, const NodeConfig& config) {
  if (config.insecure) return std::nullopt;
  return etcd::TlsFiles{.ca_file = files.path("tls/ca.crt"),
                        .certificate_file = files.path("tls/node.crt"),
                        .key_file = files.path("tls/node.key")};
}

std::shared_ptr<etcd::Member> OwnMember::find() const {
  const os::Lock lock(mutex_);
  return member_;
}

std::string OwnMember::client_address() const {
  const NodeConfig config = config_.get();
  return advertised(config, config.etcd_client_address);
}

// That of a member that is there is what the others were told, though the node may have moved.
std::string OwnMember::peer_address() const {
  const NodeConfig config = config_.get();
  const std::string mine = to_hex(config.node) + "=";
  for (const std::string& each : config.etcd_members) {
    if (each.starts_with(mine)) return each.substr(mine.size());
  }
  return advertised(config, config.etcd_peer_address);
}

etcd::MemberOptions OwnMember::options() const {
  const NodeConfig config = config_.get();
  etcd::MemberOptions options{.program = kProgram,
                              .cluster = to_hex(config.cluster),
                              .name = to_hex(config.node),
                              .data_dir = files_.path("etcd"),
                              .client_address = config.etcd_client_address,
                              .client_advertised = client_address(),
                              .peer_address = config.etcd_peer_address,
                              .peer_advertised = peer_address(),
                              .joins = config.etcd_joins,
                              .tls = etcd_tls(files_, config),
                              .log_path = files_.path("etcd.log")};
  for (const std::string& text : config.etcd_members) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    options.initial_cluster.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  return options;
}

Status OwnMember::launch() {
  std::shared_ptr<etcd::Member> member = TRY(etcd::Member::launch(options()));
  const os::Lock lock(mutex_);
  member_ = std::move(member);
  return {};
}

Status OwnMember::start() {
  const NodeConfig config = config_.get();
  if (config.etcd_client_address.empty()) return {};
  if (!config.etcd_members.empty()) return launch();
  NodeConfig fresh = config;
  TRY(choose_etcd_ports(fresh));
  return config_.change([&](NodeConfig& to) {
    to.etcd_client_address = fresh.etcd_client_address;
    to.etcd_peer_address = fresh.etcd_peer_address;
  });
}

Status OwnMember::begin(const std::vector<etcd::Peer>& peers) {
  stop();
  TRY(files_.wipe("etcd"));
  TRY(config_.change([&](NodeConfig& config) {
    config.etcd_joins = true;
    config.etcd_members.clear();
    for (const etcd::Peer& peer : peers) {
      config.etcd_members.push_back(peer.name + "=" + peer.address);
    }
  }));
  spdlog::info("this node runs a member of etcd from now on");
  return launch();
}

// Data that is left when the process dies under way is wiped by begin().
Status OwnMember::drop() {
  stop();
  TRY(config_.change([](NodeConfig& config) {
    config.etcd_joins = true;
    config.etcd_members.clear();
  }));
  spdlog::info("this node runs no member of etcd any more");
  TRY(files_.wipe("etcd"));
  return start();
}

void OwnMember::stop() {
  if (const auto member = find()) member->stop();
  const os::Lock lock(mutex_);
  member_ = nullptr;
}

std::optional<Error> OwnMember::failure() const {
  const auto member = find();
  return member ? member->failure() : std::nullopt;
}

Status OwnMember::look() const {
  const auto member = find();
  if (!member) return Error(Code::kNotFound, "this node runs no member of etcd");
  return member->wait_ready({});
}

bool OwnMember::is_installed() {
  const char* const found = std::getenv("PATH");
  const std::string path = found == nullptr ? "/usr/bin:/bin" : found;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find(':', at), path.size());
    const std::string file = path.substr(at, end - at) + "/" + kProgram;
    if (::access(file.c_str(), X_OK) == 0) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace nacre::cluster
