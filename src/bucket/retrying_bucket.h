// Tries again what fails for a while: a decorator of any bucket. Safe from any thread.
//
// kUnavailable and kCorrupt are tried again, after waits that grow by two up to a bound, of which
// each is a random part of all (full jitter), so that many clients do not come back at once. All
// calls wait as long as the store asked for by Retry-After. Tries and time are bounded: then the
// last error is given. While the store is found away, many calls do not wait one after another.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "bucket/bucket.h"
#include "bucket/pacing.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/random.h"

namespace nacre::bucket {

struct RetryOptions {
  size_t tries_max = 6;
  std::chrono::nanoseconds wait_first = std::chrono::milliseconds(200);
  std::chrono::nanoseconds wait_max = std::chrono::seconds(20);
  // No try begins so long after the call did.
  std::chrono::nanoseconds patience = std::chrono::minutes(2);
  // After a call whose every try found the store away, others have one try for so long.
  std::chrono::nanoseconds away = std::chrono::seconds(10);

  os::Clock* clock = &os::real_clock();
  os::Random* random = &os::real_random();
  std::shared_ptr<Pacing> pacing = std::make_shared<Pacing>();  // that of the bucket below
};

// Since it was made.
struct BucketCounters {
  uint64_t calls = 0;     // as they came from above
  uint64_t retries = 0;   // tries besides the first
  uint64_t failures = 0;  // calls that ended with kUnavailable or kCorrupt all the same
  uint64_t bytes_up = 0;  // of objects, in calls that succeeded
  uint64_t bytes_down = 0;
};

class RetryingBucket final : public Bucket {
 public:
  explicit RetryingBucket(std::unique_ptr<Bucket> below, RetryOptions options = {});

  Status put(const std::string& key, std::span<const ByteView> parts) override;
  Status read(const std::string& key, uint64_t offset, MutableBytes into) override;
  Result<std::string> get(const std::string& key, uint64_t limit_bytes) override;
  Result<ObjectInfo> info(const std::string& key) override;
  // Goes on behind what was visited already.
  Status list(const std::string& prefix,
              const std::function<bool(const ObjectInfo&)>& visit) override;
  Status remove(const std::string& key) override;
  Result<size_t> abort_stale_uploads(const std::string& prefix, std::chrono::seconds age) override;
  // Ends waits at once.
  void stop() override;

  BucketCounters counters() const;

 private:
  template <class Call>
  auto retried(const Call& call) -> decltype(call());
  // False when stopped meanwhile.
  bool wait_until(int64_t ns) EXCLUDES(mutex_);

  const std::unique_ptr<Bucket> below_;
  const RetryOptions options_;
  std::atomic<int64_t> away_until_ns_ = INT64_MIN;

  std::atomic<uint64_t> calls_ = 0;
  std::atomic<uint64_t> retries_ = 0;
  std::atomic<uint64_t> failures_ = 0;
  std::atomic<uint64_t> bytes_up_ = 0;
  std::atomic<uint64_t> bytes_down_ = 0;

  // A leaf.
  os::Mutex mutex_;
  os::CondVar stopping_;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

// How long to wait after the `failed`-th try, the first being 1: something from nothing to
// wait_first * 2^(failed - 1), or to wait_max.
std::chrono::nanoseconds backoff(const RetryOptions& options, size_t failed);

}  // namespace nacre::bucket
