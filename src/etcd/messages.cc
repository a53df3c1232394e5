#include "etcd/messages.h"

#include <proto/kv.pb.h>
#include <proto/rpc.pb.h>

#include <limits>

namespace nacre::etcd {
namespace {

namespace pb = ::etcdserverpb;

int64_t to_signed(uint64_t value) { return static_cast<int64_t>(value); }

// etcd never sends negative numbers where we count.
uint64_t to_count(int64_t value) { return value < 0 ? 0 : static_cast<uint64_t>(value); }

Revision to_revision(int64_t value) { return {to_count(value)}; }

template <class Message>
RpcRequest request(const char* method, const Message& message, bool needs_leader = true) {
  return {method, message.SerializeAsString(), needs_leader};
}

template <class Message>
Result<Message> decode(const std::string& text) {
  Message message;
  if (text.size() > std::numeric_limits<int>::max() || !message.ParseFromString(text)) {
    return Error(Code::kCorrupt, "etcd sent a message that does not decode");
  }
  return message;
}

Row to_row(mvccpb::KeyValue& kv) {
  return {std::move(*kv.mutable_key()),
          std::move(*kv.mutable_value()),
          to_revision(kv.create_revision()),
          to_revision(kv.mod_revision()),
          to_count(kv.version()),
          {static_cast<uint64_t>(kv.lease())}};
}

std::vector<Row> to_rows(pb::RangeResponse& response) {
  std::vector<Row> rows;
  rows.reserve(static_cast<size_t>(response.kvs_size()));
  for (mvccpb::KeyValue& kv : *response.mutable_kvs()) rows.push_back(to_row(kv));
  return rows;
}

template <class Message>
void set_range(Message& message, const KeyRange& range) {
  message.set_key(range.lower);
  if (!range.upper.empty()) message.set_range_end(range.upper);
}

pb::Compare to_message(const Compare& compare) {
  pb::Compare message;
  message.set_key(compare.key);
  switch (compare.relation) {
    case Relation::kEqual:
      message.set_result(pb::Compare::EQUAL);
      break;
    case Relation::kLess:
      message.set_result(pb::Compare::LESS);
      break;
    case Relation::kGreater:
      message.set_result(pb::Compare::GREATER);
      break;
  }
  switch (compare.target) {
    case Compare::Target::kVersion:
      message.set_target(pb::Compare::VERSION);
      message.set_version(to_signed(compare.number));
      break;
    case Compare::Target::kCreated:
      message.set_target(pb::Compare::CREATE);
      message.set_create_revision(to_signed(compare.number));
      break;
    case Compare::Target::kModified:
      message.set_target(pb::Compare::MOD);
      message.set_mod_revision(to_signed(compare.number));
      break;
    case Compare::Target::kValue:
      message.set_target(pb::Compare::VALUE);
      message.set_value(compare.value);
      break;
  }
  return message;
}

pb::RequestOp to_message(const Op& op) {
  pb::RequestOp message;
  if (const auto* put = std::get_if<Put>(&op)) {
    pb::PutRequest& request = *message.mutable_request_put();
    request.set_key(put->key);
    request.set_value(put->value);
    request.set_lease(to_signed(put->lease.value));
  } else if (const auto* erase = std::get_if<Erase>(&op)) {
    set_range(*message.mutable_request_delete_range(), erase->range);
  } else {
    const Get& get = std::get<Get>(op);
    set_range(*message.mutable_request_range(), get.range);
    message.mutable_request_range()->set_limit(to_signed(get.rows_max));
  }
  return message;
}

WatchReply::Kind kind_of(const pb::WatchResponse& response) {
  // An answer to a ping is for no watch in particular. Up to etcd 3.4.24 it may overtake events, so
  // its revision says nothing.
  if (response.watch_id() < 0) return WatchReply::Kind::kAlive;
  if (response.compact_revision() != 0) return WatchReply::Kind::kCompacted;
  if (response.canceled()) return WatchReply::Kind::kCancelled;
  if (response.created()) return WatchReply::Kind::kCreated;
  return response.events_size() > 0 ? WatchReply::Kind::kEvents : WatchReply::Kind::kProgress;
}

}  // namespace

RpcRequest encode_range(const KeyRange& range, const PageOptions& options) {
  pb::RangeRequest message;
  set_range(message, range);
  message.set_limit(to_signed(options.rows_max));
  message.set_revision(to_signed(options.at.value));
  return request("/etcdserverpb.KV/Range", message);
}

Result<Page> decode_range(const std::string& message) {
  auto response = TRY(decode<pb::RangeResponse>(message));
  return Page{to_revision(response.header().revision()), to_rows(response), response.more()};
}

RpcRequest encode_txn(const Txn& txn) {
  pb::TxnRequest message;
  for (const Compare& each : txn.compares) *message.add_compare() = to_message(each);
  for (const Op& each : txn.then) *message.add_success() = to_message(each);
  for (const Op& each : txn.otherwise) *message.add_failure() = to_message(each);
  return request("/etcdserverpb.KV/Txn", message);
}

Result<TxnResult> decode_txn(const std::string& message) {
  auto response = TRY(decode<pb::TxnResponse>(message));
  TxnResult result{response.succeeded(), to_revision(response.header().revision())};
  for (pb::ResponseOp& each : *response.mutable_responses()) {
    OpResult op;
    if (each.has_response_range()) {
      op.rows = to_rows(*each.mutable_response_range());
      op.more = each.response_range().more();
    } else if (each.has_response_delete_range()) {
      op.erased = to_count(each.response_delete_range().deleted());
    }
    result.results.push_back(std::move(op));
  }
  return result;
}

RpcRequest encode_compact(Revision revision) {
  pb::CompactionRequest message;
  message.set_revision(to_signed(revision.value));
  return request("/etcdserverpb.KV/Compact", message);
}

RpcRequest encode_watch(const KeyRange& range, Revision from) {
  pb::WatchRequest message;
  pb::WatchCreateRequest& create = *message.mutable_create_request();
  set_range(create, range);
  create.set_start_revision(to_signed(from.value));
  create.set_progress_notify(true);
  create.set_fragment(true);
  return request("/etcdserverpb.Watch/Watch", message);
}

std::string encode_watch_ping() {
  pb::WatchRequest message;
  message.mutable_progress_request();
  return message.SerializeAsString();
}

Result<WatchReply> decode_watch(const std::string& message) {
  auto response = TRY(decode<pb::WatchResponse>(message));
  WatchReply reply{kind_of(response), to_revision(response.header().revision())};
  reply.unfinished = response.fragment();
  reply.reason = response.cancel_reason();
  for (mvccpb::Event& each : *response.mutable_events()) {
    const bool put = each.type() == mvccpb::Event::PUT;
    reply.events.push_back(
        {put ? Event::Kind::kPut : Event::Kind::kErase, to_row(*each.mutable_kv())});
  }
  return reply;
}

}  // namespace nacre::etcd
