#include "bucket/retrying_bucket.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace nacre::bucket {
namespace {

// A clock that is not the machine's is looked at that often.
constexpr std::chrono::milliseconds kLookInterval(100);

bool is_passing(Code code) { return code == Code::kUnavailable || code == Code::kCorrupt; }

}  // namespace

std::chrono::nanoseconds backoff(const RetryOptions& options, size_t failed) {
  int64_t limit_ns = options.wait_first.count();
  for (size_t i = 1; i < failed && limit_ns < options.wait_max.count(); ++i) limit_ns *= 2;
  limit_ns = std::min<int64_t>(limit_ns, options.wait_max.count());
  const uint64_t number = options.random->next() % (static_cast<uint64_t>(limit_ns) + 1);
  return std::chrono::nanoseconds(static_cast<int64_t>(number));
}

RetryingBucket::RetryingBucket(std::unique_ptr<Bucket> below, RetryOptions options)
    : below_(std::move(below)), options_(std::move(options)) {
  CHECK(below_ != nullptr && options_.tries_max > 0 && options_.wait_first.count() >= 0);
}

template <class Call>
auto RetryingBucket::retried(const Call& call) -> decltype(call()) {
  ++calls_;
  os::Clock& clock = *options_.clock;
  const int64_t end_ns = clock.monotonic_ns() + options_.patience.count();
  int64_t next_ns = 0;
  for (size_t tries = 1;; ++tries) {
    if (!wait_until(std::max(next_ns, std::min(options_.pacing->until_ns(), end_ns)))) {
      return Error(Code::kCancelled, "the bucket was stopped");
    }
    auto outcome = call();
    if (outcome.ok() || !is_passing(outcome.code())) {
      away_until_ns_ = INT64_MIN;
      return outcome;
    }
    next_ns = clock.monotonic_ns() + backoff(options_, tries).count();
    const int64_t resumed_ns = std::max(next_ns, options_.pacing->until_ns());
    const bool away = clock.monotonic_ns() < away_until_ns_;
    if (away || tries == options_.tries_max || resumed_ns >= end_ns) {
      if (!away && outcome.code() == Code::kUnavailable) {
        away_until_ns_ = clock.monotonic_ns() + options_.away.count();
      }
      ++failures_;
      return Error(outcome.code(), fmt::format("{} (after {} {})", outcome.error().context(), tries,
                                               tries == 1 ? "try" : "tries"));
    }
    ++retries_;
  }
}

bool RetryingBucket::wait_until(int64_t ns) {
  const os::Lock lock(mutex_);
  while (!stopped_) {
    const int64_t left_ns = ns - options_.clock->monotonic_ns();
    if (left_ns <= 0) return true;
    stopping_.wait_for(mutex_, std::min<std::chrono::nanoseconds>(std::chrono::nanoseconds(left_ns),
                                                                  kLookInterval));
  }
  return false;
}

Status RetryingBucket::put(const std::string& key, std::span<const ByteView> parts) {
  TRY(retried([&] { return below_->put(key, parts); }));
  for (const ByteView part : parts) bytes_up_ += part.size();
  return {};
}

Status RetryingBucket::read(const std::string& key, uint64_t offset, MutableBytes into) {
  TRY(retried([&] { return below_->read(key, offset, into); }));
  bytes_down_ += into.size();
  return {};
}

Result<std::string> RetryingBucket::get(const std::string& key, uint64_t limit_bytes) {
  std::string bytes = TRY(retried([&] { return below_->get(key, limit_bytes); }));
  bytes_down_ += bytes.size();
  return bytes;
}

Result<ObjectInfo> RetryingBucket::info(const std::string& key) {
  return retried([&] { return below_->info(key); });
}

Status RetryingBucket::list(const std::string& prefix,
                            const std::function<bool(const ObjectInfo&)>& visit) {
  std::string last;
  const auto visit_new = [&](const ObjectInfo& each) {
    if (each.key <= last) return true;
    last = each.key;
    return visit(each);
  };
  return retried([&] { return below_->list(prefix, visit_new); });
}

Status RetryingBucket::remove(const std::string& key) {
  return retried([&] { return below_->remove(key); });
}

Result<size_t> RetryingBucket::abort_stale_uploads(const std::string& prefix,
                                                   std::chrono::seconds age) {
  return retried([&] { return below_->abort_stale_uploads(prefix, age); });
}

void RetryingBucket::stop() {
  {
    const os::Lock lock(mutex_);
    stopped_ = true;
    stopping_.notify_all();
  }
  below_->stop();
}

BucketCounters RetryingBucket::counters() const {
  return {.calls = calls_,
          .retries = retries_,
          .failures = failures_,
          .bytes_up = bytes_up_,
          .bytes_down = bytes_down_};
}

}  // namespace nacre::bucket
