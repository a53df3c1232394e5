// How an etcd member is run: its command line from our options, and what its log means when it
// ends. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "etcd/admin.h"
#include "etcd/channel.h"
#include "os/process.h"

namespace nacre::etcd {

struct Peer {
  std::string name = {};
  std::string address;  // HOST:PORT
};

// Addresses are HOST:PORT; those that it listens at begin with an IP address.
struct MemberOptions {
  std::string program = "etcd";
  std::string cluster = {};  // a word that no other cluster has
  std::string name = {};     // of the member, unique in the cluster
  std::string data_dir = {};
  std::string client_address = {};         // where it listens for clients
  std::string client_advertised = {};      // where clients find it, if that is elsewhere
  std::string peer_address = {};           // where it listens for the other members
  std::string peer_advertised = {};        // where they find it, if that is elsewhere
  std::vector<Peer> initial_cluster = {};  // all members with itself
  bool joins = false;                      // the cluster exists, and knows of this member
  std::optional<TlsFiles> tls = {};        // for clients and peers, who must show theirs
  std::string log_path = {};               // appended to
  uint64_t quota_bytes = 8 * kGiB;         // of the database; then it refuses writes
};

os::ProcessOptions member_process(const MemberOptions& options);

// Where clients of ours reach the member.
std::string client_endpoint(const MemberOptions& options);

// `peer_advertised`, or where it listens.
std::string peer_endpoint(const MemberOptions& options);
// The member's URL as Admin::add_member() takes it.
std::string peer_url(const MemberOptions& options);
// The initial cluster of a member that joins: those that etcd lists, itself among them, added but
// not started yet.
std::vector<Peer> peers_to_join(const std::vector<MemberInfo>& members,
                                const MemberOptions& options);

// Why the member ended, from what it logged since it was started:
//   kBusy      somebody else has the port, or the data directory
//   kNotFound  the cluster has removed this member; it will not run again
//   kInvalid   what the options say does not fit the cluster or the machine
//   kNoSpace   the data directory's file system is full
//   kIo        anything else
Error explain_exit(const MemberOptions& options, std::string_view log,
                   const os::ExitStatus& status);

}  // namespace nacre::etcd
