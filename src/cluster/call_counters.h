// What a node has answered, by method: for those who watch it. Safe from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "node/metrics_text.h"
#include "rpc/server.h"

namespace nacre::cluster {

class CallCounters {
 public:
  // As rpc::Server observes them; `now_ns` is by the same clock as the call's own times.
  void add(const rpc::ServerCall& call, const Result<rpc::Answer>& answer, int64_t now_ns);
  // The families nacre_rpc_calls_total, _received_bytes_total, _sent_bytes_total and
  // _call_duration_seconds.
  void write(node::MetricsText& to) const;

 private:
  static constexpr size_t kMethods = 9;
  static constexpr size_t kCodes = static_cast<size_t>(Code::kCancelled) + 1;

  struct Method {
    std::atomic<uint64_t> good = 0;
    std::array<std::atomic<uint64_t>, kCodes> failed = {};  // by code
    std::atomic<uint64_t> received_bytes = 0;
    std::atomic<uint64_t> sent_bytes = 0;
    node::DurationHistogram durations;
  };

  std::array<Method, kMethods> methods_;
};

}  // namespace nacre::cluster
