#include "cli/cluster_client.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/errno.h"
#include "block/cluster_calls.h"
#include "cluster/founding.h"
#include "node/protocol.h"
#include "os/file_system.h"
#include "rpc/handshake.h"

namespace nacre::cli {
namespace {

constexpr std::string_view kScheme = "nacre://";
constexpr int64_t kConnectLimitNs = 5'000'000'000;
constexpr int64_t kCommandLimitNs = 30'000'000'000;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> read_text(const std::string& path) {
  const auto file = TRY(os::real_file_system().open(path, os::OpenMode::kRead));
  std::string text(std::min<uint64_t>(TRY(file->size()), 1 << 20), '\0');
  text.resize(TRY(file->read_at(0, as_writable_bytes(text))));
  return text;
}

Status write_text(const std::string& path, const std::string& text) {
  const auto file = TRY(os::real_file_system().open(path, os::OpenMode::kCreate));
  if (::chmod(path.c_str(), 0600) != 0) return error_from_errno(errno, "set the mode of " + path);
  TRY(file->truncate(0));
  TRY(file->write_at(0, as_bytes(text)));
  return file->sync();
}

// Which cluster answers at these addresses, and whether it speaks TLS.
Result<wire::Greeting> ask_who(const std::vector<os::Address>& addresses) {
  Error last(Code::kUnavailable, "no address of a node is given");
  for (const os::Address& address : addresses) {
    auto stream = os::connect_tcp(address, kConnectLimitNs);
    if (!stream.ok()) {
      last = stream.error();
      continue;
    }
    auto greeting = rpc::ask_greeting(**stream, true);
    if (greeting.ok()) return greeting;
    last = greeting.error();
  }
  return last;
}

Result<rpc::Security> security_for(const std::vector<os::Address>& addresses) {
  const wire::Greeting greeting = TRY(ask_who(addresses));
  rpc::Security security{.cluster = greeting.cluster};
  if (greeting.tls) {
    security.tls = TRY(rpc::TlsContext::make(TRY(read_credentials(greeting.cluster))));
    return security;
  }
  if (!std::ranges::all_of(addresses, os::is_loopback)) {
    return Error(Code::kAccess,
                 "the cluster is insecure, and may be used on its own machine alone");
  }
  return security;
}

}  // namespace

Result<std::vector<os::Address>> parse_cluster(const std::string& text) {
  if (!text.starts_with(kScheme)) {
    return Error(Code::kInvalid, "'" + text +
                                     "' is no cluster: give nacre://HOST:PORT, or set "
                                     "NACRE_CLUSTER");
  }
  std::vector<os::Address> addresses;
  std::string rest = text.substr(kScheme.size());
  while (rest.ends_with('/')) rest.pop_back();
  for (size_t at = 0; at <= rest.size();) {
    const size_t comma = std::min(rest.find(',', at), rest.size());
    addresses.push_back(TRY(os::parse_address(rest.substr(at, comma - at))));
    at = comma + 1;
  }
  return addresses;
}

std::string credentials_directory(wire::ClusterId cluster) {
  std::string given = variable("NACRE_CREDENTIALS");
  if (!given.empty()) return given;
  std::string base = variable("XDG_CONFIG_HOME");
  if (base.empty()) base = variable("HOME") + "/.config";
  return base + "/nacre/clusters/" + to_hex(cluster);
}

Result<rpc::Credentials> read_credentials(wire::ClusterId cluster) {
  const std::string directory = credentials_directory(cluster);
  const auto ca = read_text(directory + "/ca.crt");
  if (!ca.ok()) {
    return Error(Code::kAccess,
                 fmt::format("there are no credentials for cluster {} in {}: `nacre node token "
                             "--client` on a node prints a token, and `nacre cluster login "
                             "TOKEN@HOST:PORT` here gets them",
                             to_hex(cluster), directory));
  }
  return rpc::Credentials{.ca = *ca,
                          .certificate = TRY(read_text(directory + "/client.crt")),
                          .key = TRY(read_text(directory + "/client.key"))};
}

Status save_credentials(wire::ClusterId cluster, const rpc::Credentials& credentials) {
  const std::string directory = credentials_directory(cluster);
  TRY(os::real_file_system().create_directories(directory));
  if (::chmod(directory.c_str(), 0700) != 0) {
    return error_from_errno(errno, "set the mode of " + directory);
  }
  TRY(write_text(directory + "/client.key", credentials.key));
  TRY(write_text(directory + "/client.crt", credentials.certificate));
  return write_text(directory + "/ca.crt", credentials.ca);
}

Result<wire::ClusterId> log_in(const std::string& invitation) {
  const std::string user = variable("USER").empty() ? "client" : variable("USER");
  const cluster::ClientGrant grant =
      TRY(cluster::join_as_client(os::real_clock(), invitation, user));
  if (grant.credentials) TRY(save_credentials(grant.cluster, *grant.credentials));
  return grant.cluster;
}

Result<std::unique_ptr<ClusterClient>> ClusterClient::connect(const std::string& cluster) {
  std::unique_ptr<ClusterClient> client(new ClusterClient());
  client->addresses_ = TRY(parse_cluster(cluster));
  client->clients_ =
      std::make_unique<block::NodeClients>(os::real_clock(), TRY(security_for(client->addresses_)));
  client->views_ =
      TRY(cluster::RemoteViews::open(*client->clients_, os::real_clock(), client->addresses_));
  client->blocks_ = std::make_unique<block::ClusterBlocks>(os::real_clock(), os::real_random(),
                                                           *client->views_, *client->clients_);
  client->objects_ = std::make_unique<block::Objects>(*client->blocks_);
  return client;
}

Result<node::Json> ClusterClient::command(const std::string& name, const node::Json& arguments) {
  std::vector<os::Address> addresses = addresses_;
  const auto view = views_->view();
  for (const wire::ClusterNode& node : view->map.nodes) {
    if (!view->up.contains(node.id) || node.addresses.empty()) continue;
    const auto address = os::parse_address(node.addresses.front());
    if (address.ok()) addresses.push_back(*address);
  }
  Error last(Code::kUnavailable, "no node answers");
  for (const os::Address& address : addresses) {
    auto answer = ask(clients_->at(address), name, arguments);
    if (answer.ok()) return answer;
    last = answer.error();
    // What a node says is the answer; another one is asked when that could not be reached.
    if (clients_->at(address).is_connected()) return last;
  }
  return last;
}

Result<node::Json> ClusterClient::command_of(const wire::ClusterNode& node, const std::string& name,
                                             node::Json arguments) {
  return ask(*TRY(clients_->of(node)), name, std::move(arguments));
}

Result<node::Json> ClusterClient::ask(rpc::Client& client, const std::string& name,
                                      node::Json arguments) {
  const rpc::Reply reply =
      TRY(client.call({.method = static_cast<uint16_t>(block::Method::kCommand),
                       .header = node::to_line(node::encode({name, std::move(arguments)})),
                       .deadline_ns = os::real_clock().monotonic_ns() + kCommandLimitNs}));
  return node::parse_object(reply.header);
}

codec::ErasureCode ClusterClient::usual_code() {
  std::vector<wire::NodeId> nodes;
  for (const wire::ClusterDevice& device : views_->view()->map.devices) {
    if (device.state == wire::DeviceState::kIn) nodes.push_back(device.node);
  }
  std::ranges::sort(nodes);
  const auto count = static_cast<size_t>(std::ranges::unique(nodes).begin() - nodes.begin());
  if (count >= 6) return {4, 2};
  return {1, static_cast<uint8_t>(std::clamp<size_t>(count, 1, 3) - 1)};
}

Status ClusterClient::ensure_pool(codec::ErasureCode code) {
  const auto has = [&] {
    const auto view = views_->view();
    return std::ranges::find(view->map.pools, code, &wire::Pool::code) != view->map.pools.end();
  };
  if (has()) return {};
  TRY(command("pool_add", {{"code", codec::to_string(code)}}));
  return views_->refresh();
}

}  // namespace nacre::cli
