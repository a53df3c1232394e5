#include "cluster/etcd_rows.h"

#include "node/json.h"
#include "os/tcp.h"

namespace nacre::cluster {

using node::Json;

std::string encode(const MemberOffer& offer) {
  return node::to_line(Json{{"peer", offer.peer}, {"client", offer.client}});
}

Result<MemberOffer> decode_member_offer(std::string_view text) {
  const Json json = TRY(node::parse_object(text));
  node::Arguments fields(json);
  MemberOffer offer{.peer = TRY(fields.text("peer")), .client = TRY(fields.text("client"))};
  TRY(os::parse_address(offer.peer));
  TRY(os::parse_address(offer.client));
  return offer;
}

std::string address_of_url(const std::string& url) {
  const size_t scheme_end = url.find("://");
  return scheme_end == std::string::npos ? url : url.substr(scheme_end + 3);
}

}  // namespace nacre::cluster
