#include "etcd/client.h"

#include <utility>

#include "base/check.h"
#include "etcd/endpoints.h"
#include "etcd/endpoints_admin.h"
#include "etcd/messages.h"

namespace nacre::etcd {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

class EndpointsWatch final : public WatchStream {
 public:
  EndpointsWatch(Endpoints& endpoints, RpcRequest request)
      : endpoints_(endpoints), request_(std::move(request)) {
    std::tie(stream_, endpoint_) = endpoints_.stream(request_);
  }

  Result<std::optional<WatchReply>> next(nanoseconds limit) override {
    RpcStream::Read read = stream_->read(limit);
    if (read.message) return std::optional(TRY(decode_watch(*read.message)));
    if (read.status.code == RpcCode::kOk) return std::optional<WatchReply>();
    return endpoints_.stream_error(endpoint_, request_, read.status);
  }

  void ping() override { stream_->write(encode_watch_ping()); }
  void cancel() override { stream_->cancel(); }
  void avoid() override { endpoints_.avoid(endpoint_); }

 private:
  Endpoints& endpoints_;
  const RpcRequest request_;
  std::unique_ptr<RpcStream> stream_;
  std::string endpoint_;
};

bool writes(const std::vector<Op>& ops) {
  for (const Op& op : ops) {
    if (!std::holds_alternative<Get>(op)) return true;
  }
  return false;
}

class EndpointsClient final : public Client {
 public:
  EndpointsClient(std::unique_ptr<Dialer> dialer, const ClientOptions& options)
      : endpoints_(std::move(dialer),
                   {options.endpoints, options.tls.has_value(), encode_status()}),
        deadline_(options.deadline),
        admin_(endpoints_, options.deadline) {}

  Result<Page> page(const KeyRange& range, const PageOptions& options) override {
    const nanoseconds limit = options.deadline == nanoseconds{} ? deadline_ : options.deadline;
    return decode_range(TRY(endpoints_.call(encode_range(range, options), Effect::kReads, limit)));
  }

  Result<TxnResult> transact(const Txn& txn) override {
    const bool changes = writes(txn.then) || writes(txn.otherwise);
    return decode_txn(TRY(
        endpoints_.call(encode_txn(txn), changes ? Effect::kWrites : Effect::kReads, deadline_)));
  }

  Status compact(Revision revision) override {
    TRY(endpoints_.call(encode_compact(revision), Effect::kWrites, deadline_));
    return {};
  }

  Result<GrantedLease> grant(seconds ttl) override {
    return decode_grant(TRY(endpoints_.call(encode_grant(ttl), Effect::kWrites, deadline_)));
  }

  Result<GrantedLease> keep_alive(LeaseId id, nanoseconds limit) override {
    // Repeating it does no harm. The method streams; it also takes one message and its end.
    GrantedLease lease =
        TRY(decode_keep_alive(TRY(endpoints_.call(encode_keep_alive(id), Effect::kReads, limit))));
    if (lease.ttl <= seconds{}) return Error(Code::kNotFound, "etcd has dropped the lease");
    return lease;
  }

  Status revoke(LeaseId id, nanoseconds limit) override {
    TRY(endpoints_.call(encode_revoke(id), Effect::kWrites, limit));
    return {};
  }

  Result<LeaseStatus> time_to_live(LeaseId id) override {
    LeaseStatus status = TRY(decode_time_to_live(
        TRY(endpoints_.call(encode_time_to_live(id), Effect::kReads, deadline_))));
    if (status.left < seconds{}) return Error(Code::kNotFound, "etcd has dropped the lease");
    return status;
  }

  std::unique_ptr<WatchStream> watch(const KeyRange& range, Revision from) override {
    return std::make_unique<EndpointsWatch>(endpoints_, encode_watch(range, from));
  }

  void set_endpoints(std::vector<std::string> endpoints) override { endpoints_.set(endpoints); }
  std::vector<std::string> endpoints() const override { return endpoints_.names(); }
  Admin& admin() override { return admin_; }

 private:
  Endpoints endpoints_;
  const nanoseconds deadline_;
  EndpointsAdmin admin_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::open(const ClientOptions& options) {
  if (options.endpoints.empty()) return Error(Code::kInvalid, "no endpoint of etcd is given");
  auto dialer = TRY(make_dialer(options.tls));
  return std::unique_ptr<Client>(new EndpointsClient(std::move(dialer), options));
}

Result<Page> Client::range(const KeyRange& range) {
  Page all = TRY(page(range, {}));
  KeyRange rest = range;
  while (all.more && !all.rows.empty()) {
    rest.lower = all.rows.back().key + '\0';
    Page next = TRY(page(rest, {.at = all.revision}));
    all.more = next.more;
    if (next.rows.empty()) break;
    std::ranges::move(next.rows, std::back_inserter(all.rows));
  }
  all.more = false;
  return all;
}

Result<std::optional<Row>> Client::get(const std::string& key) {
  Page found = TRY(page({key}, {}));
  if (found.rows.empty()) return std::optional<Row>();
  return std::optional(std::move(found.rows.front()));
}

Result<Revision> Client::put(std::string key, std::string value, LeaseId lease) {
  return TRY(transact({.then = {Put{std::move(key), std::move(value), lease}}})).revision;
}

Result<uint64_t> Client::erase(const KeyRange& range) {
  return TRY(transact({.then = {Erase{range}}})).results.at(0).erased;
}

}  // namespace nacre::etcd
