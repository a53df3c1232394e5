// The messages of a join, as JSON: they are few, small and often looked at by people.
#include "cluster/founding.h"
#include "cluster/ids.h"
#include "node/json.h"

namespace nacre::cluster {

using node::Json;

std::string encode(const JoinRequest& request) {
  Json json = {{"token", node::json_of_bytes(request.token)},
               {"request", node::json_of_bytes(request.request)},
               {"name", node::json_of_bytes(request.name)},
               {"zone", node::json_of_bytes(request.zone)},
               {"advertise", node::json_of_bytes(request.advertise)}};
  if (!request.node.is_zero()) json["node"] = to_hex(request.node);
  return node::to_line(json);
}

Result<JoinRequest> decode_join_request(std::string_view text) {
  const Json json = TRY(node::parse_object(text));
  node::Arguments fields(json);
  JoinRequest request{.token = TRY(fields.text("token")), .request = TRY(fields.text("request"))};
  if (const auto node = TRY(fields.optional_text("node"))) {
    request.node = TRY(parse_id<wire::NodeId>(*node));
  }
  request.name = TRY(fields.text("name"));
  request.zone = TRY(fields.text("zone"));
  request.advertise = TRY(fields.text("advertise"));
  const bool too_long = request.name.size() > wire::kMaxNameBytes ||
                        request.zone.size() > wire::kMaxNameBytes ||
                        request.advertise.size() > wire::kMaxNameBytes;
  if (too_long) return Error(Code::kInvalid, "a name of who joins is too long");
  return request;
}

std::string encode(const JoinGrant& grant) {
  std::string key;
  for (const char byte : grant.secrets.token_key) {
    constexpr const char* kDigits = "0123456789abcdef";
    key += kDigits[static_cast<unsigned char>(byte) >> 4];
    key += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return node::to_line(Json{{"node", grant.role == rpc::Role::kNode},
                            {"cluster", to_hex(grant.cluster)},
                            {"ca", node::json_of_bytes(grant.ca)},
                            {"certificate", node::json_of_bytes(grant.certificate)},
                            {"ca_key", node::json_of_bytes(grant.secrets.authority.key)},
                            {"token_key", key},
                            {"etcd", node::json_of_texts(grant.etcd)},
                            {"runs_etcd", grant.runs_etcd}});
}

Result<JoinGrant> decode_join_grant(std::string_view text) {
  const Json json = TRY(node::parse_object(text));
  node::Arguments fields(json);
  JoinGrant grant;
  grant.role = TRY(fields.flag("node")) ? rpc::Role::kNode : rpc::Role::kClient;
  grant.cluster = TRY(parse_id<wire::ClusterId>(TRY(fields.text("cluster"))));
  grant.ca = TRY(fields.text("ca"));
  grant.certificate = TRY(fields.text("certificate"));
  grant.secrets.authority = {.certificate = grant.ca, .key = TRY(fields.text("ca_key"))};
  grant.secrets.token_key =
      TRY(node::bytes_of_json(Json{{"bytes", TRY(fields.text("token_key"))}}));
  grant.etcd = TRY(fields.texts("etcd"));
  grant.runs_etcd = TRY(fields.flag("runs_etcd"));
  return grant;
}

}  // namespace nacre::cluster
