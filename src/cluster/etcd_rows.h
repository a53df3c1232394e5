// The rows by which nodes agree on who runs members of etcd, below "/nacre/etcd/". Who is a member
// is not among them: etcd's own list says that, and nothing else.
//
//   able/NODE     JSON {"peer","client"}: where the node's member is or would be, HOST:PORT each;
//                 there while the node can run one
//   coordinator   the id of the node that changes the members, while its lease lives
//   step          what it did last, or what it waits for; for people
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre::cluster {

inline constexpr const char* kAblePrefix = "/nacre/etcd/able/";
inline constexpr const char* kCoordinatorKey = "/nacre/etcd/coordinator";
inline constexpr const char* kStepKey = "/nacre/etcd/step";

struct MemberOffer {
  std::string peer = {};
  std::string client = {};
  bool operator==(const MemberOffer&) const = default;
};
using MemberOffers = std::map<std::string, MemberOffer>;  // by the node's id

std::string encode(const MemberOffer& offer);
// kInvalid.
Result<MemberOffer> decode_member_offer(std::string_view text);

// HOST:PORT of one of etcd's URLs.
std::string address_of_url(const std::string& url);

}  // namespace nacre::cluster
