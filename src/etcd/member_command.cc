#include "etcd/member_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace nacre::etcd {
namespace {

// etcd keeps the last entries of its log in memory, this many and 5000 more. Ours are large: with
// etcd's own 100000 it would take gigabytes.
constexpr int kSnapshotEntries = 2000;
// Idle watches of ours hear how far they are this often, so that they resume cheaply.
constexpr std::string_view kProgressInterval = "2s";

std::string url(const MemberOptions& options, const std::string& address) {
  return (options.tls ? "https://" : "http://") + address;
}

void add_tls(std::vector<std::string>& arguments, const TlsFiles& tls) {
  for (const std::string_view prefix : {"", "peer-"}) {
    arguments.push_back(fmt::format("--{}cert-file={}", prefix, tls.certificate_file));
    arguments.push_back(fmt::format("--{}key-file={}", prefix, tls.key_file));
    arguments.push_back(fmt::format("--{}trusted-ca-file={}", prefix, tls.ca_file));
    arguments.push_back(fmt::format("--{}client-cert-auth=true", prefix));
  }
}

// The last error in the log, in etcd's words; its log has a JSON object in each line.
std::string last_error(std::string_view log) {
  constexpr std::string_view kMark = "\"error\":\"";
  const size_t found = log.rfind(kMark);
  if (found != std::string_view::npos) {
    const std::string_view rest = log.substr(found + kMark.size());
    return std::string(rest.substr(0, rest.find("\",\"")).substr(0, rest.find("\"}")));
  }
  while (log.ends_with('\n')) log.remove_suffix(1);
  const size_t line = log.rfind('\n');
  const std::string_view words = line == std::string_view::npos ? log : log.substr(line + 1);
  return words.empty() || words.starts_with('{') ? "it did not say why" : std::string(words);
}

}  // namespace

std::string client_endpoint(const MemberOptions& options) {
  return options.client_advertised.empty() ? options.client_address : options.client_advertised;
}

std::string peer_endpoint(const MemberOptions& options) {
  return options.peer_advertised.empty() ? options.peer_address : options.peer_advertised;
}

std::string peer_url(const MemberOptions& options) { return url(options, peer_endpoint(options)); }

std::vector<Peer> peers_to_join(const std::vector<MemberInfo>& members,
                                const MemberOptions& options) {
  std::vector<Peer> peers;
  for (const MemberInfo& each : members) {
    for (const std::string& peer : each.peer_urls) {
      const size_t scheme_end = peer.find("://");
      const std::string address =
          scheme_end == std::string::npos ? peer : peer.substr(scheme_end + 3);
      peers.push_back({peer == peer_url(options) ? options.name : each.name, address});
    }
  }
  // Others that have not started yet have no name, and etcd finds them by itself.
  std::erase_if(peers, [](const Peer& each) { return each.name.empty(); });
  return peers;
}

os::ProcessOptions member_process(const MemberOptions& options) {
  std::vector<std::string> peers;
  for (const Peer& peer : options.initial_cluster) {
    peers.push_back(peer.name + "=" + url(options, peer.address));
  }
  std::vector<std::string> arguments = {
      "--name=" + options.name,
      "--data-dir=" + options.data_dir + "/etcd",
      "--listen-client-urls=" + url(options, options.client_address),
      "--advertise-client-urls=" + url(options, client_endpoint(options)),
      "--listen-peer-urls=" + url(options, options.peer_address),
      "--initial-advertise-peer-urls=" + peer_url(options),
      fmt::format("--initial-cluster={}", fmt::join(peers, ",")),
      "--initial-cluster-token=" + options.cluster,
      fmt::format("--initial-cluster-state={}", options.joins ? "existing" : "new"),
      fmt::format("--quota-backend-bytes={}", options.quota_bytes),
      fmt::format("--snapshot-count={}", kSnapshotEntries),
      fmt::format("--experimental-watch-progress-notify-interval={}", kProgressInterval),
      "--heartbeat-interval=100",
      "--election-timeout=1000",
      "--pre-vote=true",                // a member that comes back unseats no leader
      "--auto-compaction-retention=0",  // whoever reads the log says what is no longer needed
      "--strict-reconfig-check=true",
      "--enable-v2=false",
      "--logger=zap",
      "--log-outputs=stderr",
      "--log-level=warn",
  };
  if (options.tls) add_tls(arguments, *options.tls);
  return {
      .program = options.program,
      .arguments = std::move(arguments),
      // etcd would take options from variables, and send its members' traffic through proxies.
      .hidden_prefixes = {"ETCD_", "HTTP_PROXY=", "HTTPS_PROXY=", "http_proxy=", "https_proxy="},
      .log_path = options.log_path};
}

Error explain_exit(const MemberOptions& options, std::string_view log,
                   const os::ExitStatus& status) {
  const auto logged = [&](std::string_view words) { return log.find(words) != log.npos; };
  const std::string what =
      fmt::format("etcd member {} ({}): {}", options.name, status.to_string(), last_error(log));
  if (logged("bind: address already in use")) {
    return Error(Code::kBusy, what + ": free the port or choose another");
  }
  if (logged("cannot assign requested address")) {
    return Error(Code::kInvalid, what + ": this machine does not have the address");
  }
  if (logged("permanently removed from the cluster") || logged("member has been removed")) {
    return Error(Code::kNotFound, what + ": the member was removed from its cluster");
  }
  if (logged("has already been bootstrapped")) {
    return Error(Code::kInvalid, what + ": the cluster knows this member with data that " +
                                     options.data_dir +
                                     " does not have: remove the member and add it anew");
  }
  if (logged("cluster ID mismatch") || logged("error validating peerURLs") ||
      logged("member count is unequal")) {
    return Error(Code::kInvalid, what + ": the members given are not those of the cluster");
  }
  if (logged("no space left on device")) {
    return Error(Code::kNoSpace, what + ": make room for " + options.data_dir);
  }
  return Error(Code::kIo, what + ": see " + options.log_path);
}

}  // namespace nacre::etcd
