// Loops that time each operation, on one thread or on several at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "cli_bench/bench.h"
#include "os/clock.h"

namespace nacre::cli::bench {

struct Measured {
  uint64_t count = 0;
  uint64_t bytes = 0;
  int64_t elapsed_ns = 0;
  std::vector<int64_t> latencies_ns;  // in no order; empty where operations are not timed singly
};

// The latency that `share` (0..1) of the operations do not exceed; 0 without any.
double percentile_us(std::vector<int64_t>& latencies_ns, double share);

// A clock, and the wish of the user to stop. May be shared by threads.
class Stopwatch {
 public:
  Stopwatch(os::Clock& clock, const std::atomic<bool>* stop) : clock_(clock), stop_(stop) {}

  int64_t now_ns() const { return clock_.monotonic_ns(); }
  // kBusy once the user asked to stop.
  Status go_on() const {
    if (stop_ != nullptr && stop_->load(std::memory_order_relaxed)) {
      return Error(Code::kBusy, "the benchmark was interrupted");
    }
    return {};
  }

  // Runs operation(0) … operation(count - 1), each a Status, until one fails. One reading of the
  // clock lies between two operations.
  template <class Operation>
  Result<Measured> time_each(uint64_t count, Operation operation) const {
    Measured measured;
    measured.latencies_ns.reserve(count);
    const int64_t start_ns = now_ns();
    int64_t last_ns = start_ns;
    for (uint64_t index = 0; index < count; ++index) {
      TRY(go_on());
      TRY(operation(index));
      const int64_t end_ns = now_ns();
      measured.latencies_ns.push_back(end_ns - last_ns);
      last_ns = end_ns;
    }
    measured.count = count;
    measured.elapsed_ns = last_ns - start_ns;
    return measured;
  }

  // Runs work(0) … work(threads - 1) at once. `elapsed_ns` is from the moment all are let go to
  // the end of the last. Returns the first error in the order of threads.
  Result<Measured> time_threads(uint64_t threads,
                                const std::function<Result<Measured>(uint64_t)>& work) const;

 private:
  os::Clock& clock_;
  const std::atomic<bool>* stop_;
};

}  // namespace nacre::cli::bench
