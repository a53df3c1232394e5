#include "cli_bench/timing.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::cli::bench {
namespace {

// Holds threads back until all have arrived and open() is called.
class Gate {
 public:
  void wait() {
    const os::Lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    while (!open_) changed_.wait(mutex_);
  }
  void await(uint64_t threads) {
    const os::Lock lock(mutex_);
    while (waiting_ < threads) changed_.wait(mutex_);
  }
  void open() {
    const os::Lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  os::Mutex mutex_;
  os::CondVar changed_;
  uint64_t waiting_ GUARDED_BY(mutex_) = 0;
  bool open_ GUARDED_BY(mutex_) = false;
};

void add(Measured& total, Measured part) {
  total.count += part.count;
  total.bytes += part.bytes;
  total.latencies_ns.insert(total.latencies_ns.end(), part.latencies_ns.begin(),
                            part.latencies_ns.end());
}

}  // namespace

double percentile_us(std::vector<int64_t>& latencies_ns, double share) {
  if (latencies_ns.empty()) return 0;
  const double rank = std::ceil(share * static_cast<double>(latencies_ns.size()));
  const auto index = static_cast<ptrdiff_t>(std::max(rank, 1.0)) - 1;
  const auto nth = latencies_ns.begin() + index;
  std::nth_element(latencies_ns.begin(), nth, latencies_ns.end());
  return static_cast<double>(*nth) / 1e3;
}

Result<Measured> Stopwatch::time_threads(
    uint64_t threads, const std::function<Result<Measured>(uint64_t)>& work) const {
  Gate gate;
  std::vector<std::optional<Result<Measured>>> results(threads);
  std::vector<os::Thread> running;
  running.reserve(threads);
  for (uint64_t index = 0; index < threads; ++index) {
    running.emplace_back("bench-" + std::to_string(index), [&, index] {
      gate.wait();
      results[index].emplace(work(index));
    });
  }
  gate.await(threads);
  const int64_t start_ns = now_ns();
  gate.open();
  running.clear();  // joins
  Measured total;
  total.elapsed_ns = now_ns() - start_ns;
  for (auto& result : results) add(total, TRY(std::move(*result)));
  return total;
}

}  // namespace nacre::cli::bench
