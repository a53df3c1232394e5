#include "cluster/call_counters.h"

#include <algorithm>

#include "block/cluster_calls.h"

namespace nacre::cluster {
namespace {

using block::Method;
using Kind = node::MetricsText::Kind;

struct Known {
  Method method;
  const char* name;
  bool timed = false;
};

// The last stands for all that are none.
constexpr std::array<Known, 9> kKnown = {{{Method::kGetMap, "get_map"},
                                          {Method::kJoin, "join"},
                                          {Method::kPutFragment, "put_fragment", true},
                                          {Method::kGetFragment, "get_fragment", true},
                                          {Method::kRemoveFragment, "remove_fragment"},
                                          {Method::kListFragments, "list_fragments"},
                                          {Method::kHealFragment, "heal_fragment"},
                                          {Method::kCommand, "command"},
                                          {Method{}, "other"}}};

size_t index_of(uint16_t method) {
  const auto found = std::ranges::find(kKnown, static_cast<Method>(method), &Known::method);
  return std::min<size_t>(static_cast<size_t>(found - kKnown.begin()), kKnown.size() - 1);
}

node::MetricLabels labels_of(size_t method) { return {{"method", kKnown[method].name}}; }

}  // namespace

void CallCounters::add(const rpc::ServerCall& call, const Result<rpc::Answer>& answer,
                       int64_t now_ns) {
  auto& method = methods_[index_of(call.method)];
  method.received_bytes += call.received_bytes;
  if (answer.ok()) {
    ++method.good;
    method.sent_bytes += answer->header.size() + answer->payload.size();
  } else {
    ++method.failed[static_cast<size_t>(answer.code())];
    method.sent_bytes += answer.error().context().size();
  }
  method.durations.add(now_ns - call.arrived_ns);
}

void CallCounters::write(node::MetricsText& to) const {
  static_assert(kMethods == kKnown.size());
  to.family("nacre_rpc_calls_total", Kind::kCounter,
            "Calls answered, by method and by result: ok, or what kind of error it was.");
  for (size_t i = 0; i < kMethods; ++i) {
    node::MetricLabels labels = labels_of(i);
    labels.emplace_back("result", "ok");
    to.sample(methods_[i].good.load(), labels);
    for (size_t code = 0; code < kCodes; ++code) {
      const uint64_t count = methods_[i].failed[code];
      labels.back().second = name_of(static_cast<Code>(code));
      if (count != 0) to.sample(count, labels);
    }
  }
  to.family("nacre_rpc_received_bytes_total", Kind::kCounter,
            "Headers and payloads of the calls answered.");
  for (size_t i = 0; i < kMethods; ++i) to.sample(methods_[i].received_bytes.load(), labels_of(i));
  to.family("nacre_rpc_sent_bytes_total", Kind::kCounter, "Headers and payloads of the answers.");
  for (size_t i = 0; i < kMethods; ++i) to.sample(methods_[i].sent_bytes.load(), labels_of(i));
  to.family("nacre_rpc_call_duration_seconds", Kind::kHistogram,
            "From when a call has come until its answer is ready, waiting for a thread included.");
  for (size_t i = 0; i < kMethods; ++i) {
    if (kKnown[i].timed) to.sample(methods_[i].durations.counts(), labels_of(i));
  }
}

}  // namespace nacre::cluster
