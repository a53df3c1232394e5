// Leases, members and maintenance.
#include <proto/rpc.pb.h>

#include "etcd/messages.h"

namespace nacre::etcd {
namespace {

namespace pb = ::etcdserverpb;
using std::chrono::seconds;

template <class Message>
RpcRequest request(const char* method, const Message& message, bool needs_leader = true) {
  return {method, message.SerializeAsString(), needs_leader};
}

template <class Message>
Result<Message> decode(const std::string& text) {
  Message message;
  if (!message.ParseFromString(text)) {
    return Error(Code::kCorrupt, "etcd sent a message that does not decode");
  }
  return message;
}

template <class Message>
RpcRequest request_of_lease(const char* method, LeaseId id) {
  Message message;
  message.set_id(static_cast<int64_t>(id.value));
  return request(method, message);
}

template <class Message>
Result<GrantedLease> decode_lease(const std::string& text) {
  const Message response = TRY(decode<Message>(text));
  return GrantedLease{{static_cast<uint64_t>(response.id())}, seconds(response.ttl())};
}

template <class Message>
RpcRequest request_of_member(const char* method, MemberId id) {
  Message message;
  message.set_id(id.value);
  return request(method, message);
}

MemberInfo to_info(const pb::Member& member) {
  return {{member.id()},
          member.name(),
          {member.peerurls().begin(), member.peerurls().end()},
          {member.clienturls().begin(), member.clienturls().end()},
          member.islearner()};
}

}  // namespace

RpcRequest encode_grant(seconds ttl) {
  pb::LeaseGrantRequest message;
  message.set_ttl(ttl.count());
  return request("/etcdserverpb.Lease/LeaseGrant", message);
}

RpcRequest encode_keep_alive(LeaseId id) {
  return request_of_lease<pb::LeaseKeepAliveRequest>("/etcdserverpb.Lease/LeaseKeepAlive", id);
}

RpcRequest encode_revoke(LeaseId id) {
  return request_of_lease<pb::LeaseRevokeRequest>("/etcdserverpb.Lease/LeaseRevoke", id);
}

RpcRequest encode_time_to_live(LeaseId id) {
  pb::LeaseTimeToLiveRequest message;
  message.set_id(static_cast<int64_t>(id.value));
  message.set_keys(true);
  return request("/etcdserverpb.Lease/LeaseTimeToLive", message);
}

Result<GrantedLease> decode_grant(const std::string& message) {
  return decode_lease<pb::LeaseGrantResponse>(message);
}

Result<GrantedLease> decode_keep_alive(const std::string& message) {
  return decode_lease<pb::LeaseKeepAliveResponse>(message);
}

Result<LeaseStatus> decode_time_to_live(const std::string& message) {
  const auto response = TRY(decode<pb::LeaseTimeToLiveResponse>(message));
  return LeaseStatus{seconds(response.grantedttl()),
                     seconds(response.ttl()),
                     {response.keys().begin(), response.keys().end()}};
}

RpcRequest encode_members() {
  return request("/etcdserverpb.Cluster/MemberList", pb::MemberListRequest());
}

RpcRequest encode_member_add(const std::string& peer_url, bool learner) {
  pb::MemberAddRequest message;
  message.add_peerurls(peer_url);
  message.set_islearner(learner);
  return request("/etcdserverpb.Cluster/MemberAdd", message);
}

RpcRequest encode_member_update(MemberId id, const std::string& peer_url) {
  pb::MemberUpdateRequest message;
  message.set_id(id.value);
  message.add_peerurls(peer_url);
  return request("/etcdserverpb.Cluster/MemberUpdate", message);
}

RpcRequest encode_member_promote(MemberId id) {
  return request_of_member<pb::MemberPromoteRequest>("/etcdserverpb.Cluster/MemberPromote", id);
}

RpcRequest encode_member_remove(MemberId id) {
  return request_of_member<pb::MemberRemoveRequest>("/etcdserverpb.Cluster/MemberRemove", id);
}

Result<std::vector<MemberInfo>> decode_members(const std::string& message) {
  const auto response = TRY(decode<pb::MemberListResponse>(message));
  std::vector<MemberInfo> members;
  for (const pb::Member& each : response.members()) members.push_back(to_info(each));
  return members;
}

Result<MemberInfo> decode_member_added(const std::string& message) {
  return to_info(TRY(decode<pb::MemberAddResponse>(message)).member());
}

RpcRequest encode_status() {
  return request("/etcdserverpb.Maintenance/Status", pb::StatusRequest(), false);
}

Result<EndpointStatus> decode_status(const std::string& message) {
  const auto response = TRY(decode<pb::StatusResponse>(message));
  return EndpointStatus{{response.header().member_id()},
                        {response.leader()},
                        response.header().cluster_id(),
                        {static_cast<uint64_t>(response.header().revision())},
                        response.version(),
                        static_cast<uint64_t>(response.dbsize()),
                        static_cast<uint64_t>(response.dbsizeinuse()),
                        response.islearner(),
                        {response.errors().begin(), response.errors().end()}};
}

RpcRequest encode_alarms() {
  pb::AlarmRequest message;
  message.set_action(pb::AlarmRequest::GET);
  return request("/etcdserverpb.Maintenance/Alarm", message);
}

RpcRequest encode_disarm(const Alarm& alarm) {
  pb::AlarmRequest message;
  message.set_action(pb::AlarmRequest::DEACTIVATE);
  message.set_memberid(alarm.member.value);
  message.set_alarm(alarm.kind == Alarm::Kind::kNoSpace ? pb::NOSPACE : pb::CORRUPT);
  return request("/etcdserverpb.Maintenance/Alarm", message);
}

Result<std::vector<Alarm>> decode_alarms(const std::string& message) {
  const auto response = TRY(decode<pb::AlarmResponse>(message));
  std::vector<Alarm> alarms;
  for (const pb::AlarmMember& each : response.alarms()) {
    if (each.alarm() == pb::NONE) continue;
    alarms.push_back({{each.memberid()},
                      each.alarm() == pb::NOSPACE ? Alarm::Kind::kNoSpace : Alarm::Kind::kCorrupt});
  }
  return alarms;
}

RpcRequest encode_defragment() {
  return request("/etcdserverpb.Maintenance/Defragment", pb::DefragmentRequest(), false);
}

}  // namespace nacre::etcd
