// Between our types and etcd's messages as bytes. The only way to protobuf. Pure; what etcd sends
// is checked, and kCorrupt when it does not decode.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "etcd/admin.h"
#include "etcd/channel.h"
#include "etcd/client.h"
#include "etcd/types.h"

namespace nacre::etcd {

RpcRequest encode_range(const KeyRange& range, const PageOptions& options);
Result<Page> decode_range(const std::string& message);

RpcRequest encode_txn(const Txn& txn);
Result<TxnResult> decode_txn(const std::string& message);

RpcRequest encode_compact(Revision revision);

RpcRequest encode_grant(std::chrono::seconds ttl);
RpcRequest encode_keep_alive(LeaseId id);
RpcRequest encode_revoke(LeaseId id);
RpcRequest encode_time_to_live(LeaseId id);
// A time to live that is not positive is that of a lease that does not exist.
Result<GrantedLease> decode_grant(const std::string& message);
Result<GrantedLease> decode_keep_alive(const std::string& message);
Result<LeaseStatus> decode_time_to_live(const std::string& message);

RpcRequest encode_watch(const KeyRange& range, Revision from);
// To be written to the stream of a watch.
std::string encode_watch_ping();
Result<WatchReply> decode_watch(const std::string& message);

RpcRequest encode_members();
RpcRequest encode_member_add(const std::string& peer_url, bool learner);
RpcRequest encode_member_update(MemberId id, const std::string& peer_url);
RpcRequest encode_member_promote(MemberId id);
RpcRequest encode_member_remove(MemberId id);
Result<std::vector<MemberInfo>> decode_members(const std::string& message);
Result<MemberInfo> decode_member_added(const std::string& message);

RpcRequest encode_status();
Result<EndpointStatus> decode_status(const std::string& message);
RpcRequest encode_alarms();
RpcRequest encode_disarm(const Alarm& alarm);
Result<std::vector<Alarm>> decode_alarms(const std::string& message);
RpcRequest encode_defragment();

}  // namespace nacre::etcd
