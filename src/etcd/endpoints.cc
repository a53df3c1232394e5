#include "etcd/endpoints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "os/clock.h"

namespace nacre::etcd {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kPauseMin(20);
constexpr milliseconds kPauseMax(250);
// An endpoint gets at least this, should there be many of them.
constexpr milliseconds kShareMin(200);
// The last moments of a deadline are not worth another attempt.
constexpr milliseconds kLeftMin(10);
// Whoever refuses our certificate for that many rounds, half a second, will not come to like it.
constexpr int kRefusedRoundsMax = 6;

void pause(nanoseconds length) {
  os::Mutex mutex;
  os::CondVar never;
  const os::Lock lock(mutex);
  never.wait_for(mutex, length);
}

}  // namespace

Endpoints::Endpoints(std::unique_ptr<Dialer> dialer, Options options)
    : dialer_(std::move(dialer)),
      tls_(options.tls),
      probe_(std::move(options.probe)),
      list_(make_list(options.endpoints)) {}

Endpoints::List Endpoints::make_list(const std::vector<std::string>& names) {
  CHECK(!names.empty());
  List list;
  for (const std::string& name : names) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->name = name;
    endpoint->channel = dialer_->dial(name);
    list.push_back(std::move(endpoint));
  }
  return list;
}

Endpoints::List Endpoints::from_good_on() const {
  const os::Lock lock(mutex_);
  List list = list_;
  std::ranges::rotate(list, list.begin() + static_cast<ptrdiff_t>(good_));
  return list;
}

void Endpoints::prefer(const std::string& endpoint) {
  const os::Lock lock(mutex_);
  for (size_t i = 0; i < list_.size(); ++i) {
    if (list_[i]->name == endpoint) good_ = i;
  }
}

void Endpoints::avoid(const std::string& endpoint) {
  const os::Lock lock(mutex_);
  if (list_[good_]->name == endpoint) good_ = (good_ + 1) % list_.size();
}

void Endpoints::set(const std::vector<std::string>& endpoints) {
  List fresh = make_list(endpoints);
  const os::Lock lock(mutex_);
  for (auto& each : fresh) {
    // Connections that stand are kept.
    const auto old = std::ranges::find(list_, each->name, [](const auto& e) { return e->name; });
    if (old != list_.end()) each = *old;
  }
  const auto good = std::ranges::find(fresh, list_[good_]);
  good_ = good == fresh.end() ? 0 : static_cast<size_t>(good - fresh.begin());
  list_.swap(fresh);
}

std::vector<std::string> Endpoints::names() const {
  const os::Lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& each : list_) names.push_back(each->name);
  return names;
}

std::shared_ptr<Endpoints::Endpoint> Endpoints::find_or_dial(const std::string& name) {
  for (auto& each : from_good_on()) {
    if (each->name == name) return each;
  }
  return make_list({name}).front();
}

Endpoints::Attempt Endpoints::attempt(Endpoint& endpoint, const RpcRequest& request, Effect effect,
                                      nanoseconds left, nanoseconds share) {
  const bool writes = effect == Effect::kWrites;
  if (writes && !endpoint.answered) {
    // So that whatever keeps it from answering at all is known before anything may be done.
    Attempt probe = attempt(endpoint, probe_, Effect::kReads, share, share);
    if (!probe.ok()) {
      probe.outcome.not_done = true;
      return probe;
    }
  }
  RpcReply reply = endpoint.channel->call(request, writes ? left : share, share);
  if (reply.status.code == RpcCode::kOk || reply.status.message.starts_with("etcdserver: ")) {
    endpoint.answered = true;
  }
  Outcome outcome = judge(reply.status, tls_, endpoint.answered);
  Error error = describe(outcome, reply.status, endpoint.name, request.method, writes);
  return {std::move(reply), std::move(outcome), std::move(error)};
}

Result<std::string> Endpoints::call_at(const std::string& endpoint, const RpcRequest& request,
                                       Effect effect, nanoseconds limit) {
  const auto found = find_or_dial(endpoint);
  Attempt attempt = this->attempt(*found, request, effect, limit, limit);
  if (!attempt.ok()) return std::move(attempt.error);
  return std::move(attempt.reply.message);
}

Result<std::string> Endpoints::call(const RpcRequest& request, Effect effect, nanoseconds limit) {
  const int64_t end_ns = os::real_clock().monotonic_ns() + limit.count();
  std::optional<Error> last;
  int refused_rounds = 0;
  for (nanoseconds wait = kPauseMin;; wait = std::min<nanoseconds>(2 * wait, kPauseMax)) {
    const List list = from_good_on();
    size_t refused = 0;
    for (size_t i = 0; i < list.size(); ++i) {
      const nanoseconds left(end_ns - os::real_clock().monotonic_ns());
      if (last && left < kLeftMin) return std::move(*last);
      const auto share =
          std::max<nanoseconds>(left / (list.size() - i), std::min<nanoseconds>(left, kShareMin));
      Attempt attempt = this->attempt(*list[i], request, effect, left, share);
      if (attempt.ok()) {
        if (i != 0) prefer(list[i]->name);
        return std::move(attempt.reply.message);
      }
      const bool may_have_been_done = effect == Effect::kWrites && !attempt.outcome.not_done;
      if (!attempt.outcome.transient || may_have_been_done) return std::move(attempt.error);
      if (attempt.outcome.code == Code::kAccess) ++refused;
      last = std::move(attempt.error);
    }
    if (list.size() > 1) {
      last = Error(last->code(), fmt::format("{} (all of {} were tried)", last->context(),
                                             fmt::join(names(), ", ")));
    }
    refused_rounds = refused == list.size() ? refused_rounds + 1 : 0;
    if (refused_rounds == kRefusedRoundsMax) return std::move(*last);
    pause(wait);
  }
}

std::pair<std::unique_ptr<RpcStream>, std::string> Endpoints::stream(const RpcRequest& request) {
  const auto good = from_good_on().front();
  return {good->channel->stream(request), good->name};
}

Error Endpoints::stream_error(const std::string& endpoint, const RpcRequest& request,
                              const RpcStatus& status) {
  const bool answered = find_or_dial(endpoint)->answered;
  return describe(judge(status, tls_, answered), status, endpoint, request.method, false);
}

}  // namespace nacre::etcd
