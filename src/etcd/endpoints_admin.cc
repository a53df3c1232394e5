#include "etcd/endpoints_admin.h"

#include <algorithm>

#include "etcd/messages.h"

namespace nacre::etcd {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds kHealthLimit(1);
// Of a large database it takes long.
constexpr std::chrono::minutes kDefragmentLimit(10);

}  // namespace

Result<std::string> EndpointsAdmin::read(const RpcRequest& request) {
  return endpoints_.call(request, Effect::kReads, deadline_);
}

Result<std::string> EndpointsAdmin::write(const RpcRequest& request) {
  return endpoints_.call(request, Effect::kWrites, deadline_);
}

Result<EndpointStatus> EndpointsAdmin::status() {
  return decode_status(TRY(read(encode_status())));
}

Result<EndpointStatus> EndpointsAdmin::status_of(const std::string& endpoint) {
  return decode_status(TRY(endpoints_.call_at(endpoint, encode_status(), Effect::kReads,
                                              std::min<nanoseconds>(deadline_, kHealthLimit))));
}

std::vector<EndpointHealth> EndpointsAdmin::health() {
  std::vector<EndpointHealth> all;
  for (std::string& endpoint : endpoints_.names()) {
    Result<EndpointStatus> status = status_of(endpoint);
    all.push_back({std::move(endpoint), std::move(status)});
  }
  return all;
}

Result<std::vector<MemberInfo>> EndpointsAdmin::members() {
  return decode_members(TRY(read(encode_members())));
}

Result<MemberInfo> EndpointsAdmin::add_member(const std::string& peer_url, bool learner) {
  return decode_member_added(TRY(write(encode_member_add(peer_url, learner))));
}

Status EndpointsAdmin::promote_member(MemberId id) {
  TRY(write(encode_member_promote(id)));
  return {};
}

Status EndpointsAdmin::remove_member(MemberId id) {
  TRY(write(encode_member_remove(id)));
  return {};
}

Status EndpointsAdmin::update_member(MemberId id, const std::string& peer_url) {
  TRY(write(encode_member_update(id, peer_url)));
  return {};
}

Status EndpointsAdmin::defragment(const std::string& endpoint) {
  TRY(endpoints_.call_at(endpoint, encode_defragment(), Effect::kWrites, kDefragmentLimit));
  return {};
}

Result<std::vector<Alarm>> EndpointsAdmin::alarms() {
  return decode_alarms(TRY(read(encode_alarms())));
}

Status EndpointsAdmin::disarm(const Alarm& alarm) {
  TRY(write(encode_disarm(alarm)));
  return {};
}

}  // namespace nacre::etcd
