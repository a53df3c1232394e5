#include "bucket/retrying_bucket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucket/memory_bucket.h"
#include "os/thread.h"

namespace nacre::bucket {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int64_t kSecondNs = 1'000'000'000;

class Retrying : public testing::Test {
 protected:
  void make(RetryOptions options) {
    options.clock = clock_;
    options.random = &random_;
    options.pacing = pacing_;
    auto below = std::make_unique<MemoryBucket>();
    below_ = below.get();
    bucket_ = std::make_unique<RetryingBucket>(std::move(below), options);
  }
  void SetUp() override { make({.wait_first = nanoseconds(0)}); }

  Status put(std::string_view bytes) {
    const ByteView parts[] = {as_bytes(bytes)};
    return bucket_->put("object", parts);
  }
  void fail(Operation operation, uint64_t calls, Code code = Code::kUnavailable) {
    below_->fail_next(operation, calls, Error(code, "away"));
  }

  os::Clock* clock_ = &os::real_clock();
  os::SeededRandom random_{1};
  std::shared_ptr<Pacing> pacing_ = std::make_shared<Pacing>();
  MemoryBucket* below_ = nullptr;
  std::unique_ptr<RetryingBucket> bucket_;
};

TEST_F(Retrying, WhatPassesIsTriedAgain) {
  for (const Code code : {Code::kUnavailable, Code::kCorrupt}) {
    fail(Operation::kPut, 3, code);
    EXPECT_TRUE(put("bytes").ok());
    fail(Operation::kGet, 3, code);
    EXPECT_EQ(*bucket_->get("object", 100), "bytes");
    fail(Operation::kInfo, 3, code);
    EXPECT_EQ(bucket_->info("object")->bytes, 5u);
    fail(Operation::kRead, 3, code);
    std::string into(2, '?');
    EXPECT_TRUE(bucket_->read("object", 1, as_writable_bytes(into)).ok());
    EXPECT_EQ(into, "yt");
    fail(Operation::kRemove, 3, code);
    EXPECT_TRUE(bucket_->remove("object").ok());
  }
  const BucketCounters counters = bucket_->counters();
  EXPECT_EQ(counters.calls, 10u);
  EXPECT_EQ(counters.retries, 30u);
  EXPECT_EQ(counters.failures, 0u);
  EXPECT_EQ(counters.bytes_up, 10u);
  EXPECT_EQ(counters.bytes_down, 14u);
}

TEST_F(Retrying, WhatWillNotPassIsNotTriedAgain) {
  for (const Code code : {Code::kAccess, Code::kInvalid, Code::kNoSpace, Code::kCancelled,
                          Code::kNotFound, Code::kTooBig, Code::kOutOfRange}) {
    fail(Operation::kPut, 1, code);
    EXPECT_EQ(put("bytes").code(), code);
  }
  EXPECT_EQ(bucket_->counters().retries, 0u);
}

TEST_F(Retrying, TriesAreBoundedAndTold) {
  fail(Operation::kPut, 100);
  const Status done = put("bytes");
  EXPECT_EQ(done.code(), Code::kUnavailable);
  EXPECT_THAT(done.error().context(), testing::HasSubstr("away (after 6 tries)"));
  EXPECT_EQ(below_->calls(Operation::kPut), 6u);
  EXPECT_EQ(bucket_->counters().failures, 1u);
  EXPECT_EQ(bucket_->counters().bytes_up, 0u);
}

TEST_F(Retrying, WhileTheStoreIsAwayOthersTryOnce) {
  os::ManualClock clock;
  clock_ = &clock;
  make({.tries_max = 3, .wait_first = nanoseconds(0)});
  fail(Operation::kPut, 100);
  EXPECT_EQ(put("bytes").code(), Code::kUnavailable);
  EXPECT_EQ(put("bytes").code(), Code::kUnavailable);
  EXPECT_EQ(put("bytes").code(), Code::kUnavailable);
  EXPECT_EQ(below_->calls(Operation::kPut), 3u + 1 + 1);
  clock.advance(11 * kSecondNs);
  EXPECT_EQ(put("bytes").code(), Code::kUnavailable);
  EXPECT_EQ(below_->calls(Operation::kPut), 3u + 1 + 1 + 3);
  // One that is answered ends it.
  fail(Operation::kPut, 0);
  EXPECT_TRUE(put("bytes").ok());
  fail(Operation::kPut, 2);
  EXPECT_TRUE(put("bytes").ok());
}

TEST_F(Retrying, TimeIsBounded) {
  make({.tries_max = 1000, .wait_first = seconds(10), .patience = milliseconds(1)});
  fail(Operation::kPut, 100);
  EXPECT_EQ(put("bytes").code(), Code::kUnavailable);
  EXPECT_EQ(below_->calls(Operation::kPut), 1u);
}

TEST_F(Retrying, WaitsGrowByTwoUpToTheirBoundWithJitter) {
  RetryOptions options{.wait_first = milliseconds(100), .wait_max = milliseconds(1000)};
  options.random = &random_;
  for (const auto& [failed, limit_ms] : {std::pair(1, 100), std::pair(2, 200), std::pair(4, 800),
                                         std::pair(5, 1000), std::pair(60, 1000)}) {
    nanoseconds longest(0);
    nanoseconds shortest = seconds(10);
    for (int i = 0; i < 500; ++i) {
      const nanoseconds wait = backoff(options, static_cast<size_t>(failed));
      longest = std::max(longest, wait);
      shortest = std::min(shortest, wait);
    }
    EXPECT_LE(longest, milliseconds(limit_ms));
    EXPECT_GE(longest, milliseconds(limit_ms * 9 / 10));
    EXPECT_LE(shortest, milliseconds(limit_ms / 10));
  }
}

TEST_F(Retrying, AStoreThatAsksForTimeIsGivenItByAllCalls) {
  os::ManualClock clock;
  clock_ = &clock;
  make({.wait_first = nanoseconds(0)});
  pacing_->not_before(clock.monotonic_ns() + 30 * kSecondNs);
  pacing_->not_before(clock.monotonic_ns() + 10 * kSecondNs);
  std::atomic<bool> done = false;
  os::Thread call("call", [&] {
    EXPECT_TRUE(put("bytes").ok());
    done = true;
  });
  os::CondVar never;
  os::Mutex mutex;
  const auto pause = [&] {
    const os::Lock lock(mutex);
    never.wait_for(mutex, milliseconds(250));
  };
  clock.advance(20 * kSecondNs);
  pause();
  EXPECT_FALSE(done);
  EXPECT_EQ(below_->calls(Operation::kPut), 0u);
  clock.advance(11 * kSecondNs);
  call.join();
  EXPECT_TRUE(done);
}

TEST_F(Retrying, StopEndsAWaitAtOnce) {
  make({.wait_first = seconds(3600), .wait_max = seconds(3600), .patience = seconds(36000)});
  fail(Operation::kPut, 1);
  const int64_t began_ns = os::real_clock().monotonic_ns();
  os::Thread call("call", [&] { EXPECT_EQ(put("bytes").code(), Code::kCancelled); });
  while (below_->calls(Operation::kPut) == 0) {
  }
  bucket_->stop();
  call.join();
  EXPECT_LT(os::real_clock().monotonic_ns() - began_ns, 5 * kSecondNs);
  EXPECT_EQ(bucket_->info("object").code(), Code::kCancelled);
}

// Fails in the middle of a listing.
class BreakingListing final : public Bucket {
 public:
  Status put(const std::string& /*key*/, std::span<const ByteView> /*parts*/) override {
    return Code::kUnsupported;
  }
  Status read(const std::string& /*key*/, uint64_t /*offset*/, MutableBytes /*into*/) override {
    return Code::kUnsupported;
  }
  Result<std::string> get(const std::string& /*key*/, uint64_t /*limit_bytes*/) override {
    return Code::kUnsupported;
  }
  Result<ObjectInfo> info(const std::string& /*key*/) override { return Code::kUnsupported; }
  Status list(const std::string& /*prefix*/,
              const std::function<bool(const ObjectInfo&)>& visit) override {
    ++listings_;
    for (char key = 'a'; key <= 'e'; ++key) {
      if (listings_ == 1 && key == 'd') return Code::kUnavailable;
      if (!visit({std::string(1, key), 1})) break;
    }
    return {};
  }
  Result<size_t> abort_stale_uploads(const std::string& /*prefix*/,
                                     std::chrono::seconds /*age*/) override {
    return Code::kUnsupported;
  }
  Status remove(const std::string& /*key*/) override { return Code::kUnsupported; }
  void stop() override {}

 private:
  int listings_ = 0;
};

TEST_F(Retrying, AListingGoesOnWhereItBroke) {
  RetryingBucket bucket(std::make_unique<BreakingListing>(), {.wait_first = nanoseconds(0)});
  std::string seen;
  EXPECT_TRUE(bucket
                  .list("",
                        [&](const ObjectInfo& each) {
                          seen += each.key;
                          return true;
                        })
                  .ok());
  EXPECT_EQ(seen, "abcde");
  EXPECT_EQ(bucket.counters().retries, 1u);
}

}  // namespace
}  // namespace nacre::bucket
