// What a bucket at a real server says and does when things go wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "base/units.h"
#include "bucket/retrying_bucket.h"
#include "bucket/s3_bucket.h"
#include "bucket/test_bytes.h"
#include "os/thread.h"
#include "s3_server.h"

namespace nacre::bucket {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr int64_t kSecondNs = 1'000'000'000;

S3Server& server() {
  static S3Server running;
  return running;
}

int64_t now_ns() { return os::real_clock().monotonic_ns(); }

Status put(Bucket& bucket, const std::string& key, std::string_view bytes) {
  const ByteView parts[] = {as_bytes(bytes)};
  return bucket.put(key, parts);
}

template <class T>
void expect_error(const Result<T>& outcome, Code code, const std::string& words) {
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.code(), code) << outcome.error().to_string();
  EXPECT_THAT(outcome.error().context(), HasSubstr(words));
}

std::unique_ptr<S3Bucket> open(S3Options options) {
  auto bucket = S3Bucket::open(std::move(options));
  EXPECT_TRUE(bucket.ok()) << bucket.error().to_string();
  return bucket.take();
}

// Every operation ends with the same error.
void expect_all(Bucket& bucket, Code code, const std::string& words) {
  expect_error(put(bucket, "a", "x"), code, words);
  expect_error(bucket.get("a", 10), code, words);
  expect_error(bucket.info("a"), code, words);
  std::string into(1, '?');
  expect_error(bucket.read("a", 0, as_writable_bytes(into)), code, words);
  expect_error(bucket.remove("a"), code, words);
  expect_error(bucket.list("", [](const ObjectInfo&) { return true; }), code, words);
}

TEST(S3Failures, AKeyIdThatIsNotKnownIsToldByAllCalls) {
  S3Options options = options_for(server().url());
  options.credentials.key_id = "NOBODY";
  expect_all(*open(options), Code::kAccess, "credentials from the test: check the key id");
}

TEST(S3Failures, ABucketThatIsNotThereIsToldByAllCalls) {
  S3Options options = options_for(server().url());
  options.bucket.bucket = "no-such-bucket";
  const auto bucket = open(options);
  expect_error(bucket->get("a", 10), Code::kInvalid, "there is no bucket no-such-bucket");
  expect_all(*bucket, Code::kInvalid, "there is no bucket no-such-bucket");
  expect_error(put(*bucket, "a", noise(20 * kMiB)), Code::kInvalid, "there is no bucket");
}

TEST(S3Failures, AClockThatIsWrongIsToldByHowMuch) {
  os::ManualClock clock({os::real_clock().now().ns - 23 * 60 * kSecondNs});
  S3Options options = options_for(server().url());
  options.clock = &clock;
  expect_all(*open(options), Code::kInvalid, "the clock of this machine is 23 min behind that");
}

TEST(S3Failures, AServerThatIsAwayIsUnavailableSoonAndComesBack) {
  S3Server own;
  const auto bucket = open(options_for(own.url()));
  ASSERT_TRUE(put(*bucket, "a", "bytes").ok());
  own.kill();
  const int64_t began_ns = now_ns();
  expect_all(*bucket, Code::kUnavailable, own.url());
  EXPECT_LT(now_ns() - began_ns, 20 * kSecondNs);
  own.start();
  EXPECT_EQ(*bucket->get("a", 10), "bytes");
}

TEST(S3Failures, AServerKilledWithinAnUploadInPartsLeavesNoObject) {
  S3Server own;
  FaultProxy proxy(own, 1);
  proxy.tell(R"({"bandwidth": {"up": 8388608}})");
  const auto bucket = open(options_for(proxy.url()));
  const std::string bytes = noise(40 * kMiB);
  const int64_t began_ns = now_ns();
  std::atomic<bool> ended = false;
  os::Thread upload("upload", [&] {
    EXPECT_EQ(put(*bucket, "large", bytes).code(), Code::kUnavailable);
    ended = true;
  });
  ::usleep(2'500'000);
  EXPECT_FALSE(ended);
  own.kill();
  upload.join();
  EXPECT_LT(now_ns() - began_ns, 20 * kSecondNs);
  proxy.tell(R"({"bandwidth": {}})");
  own.start();
  expect_error(bucket->info("large"), Code::kNotFound, "no such object");
  const Status again = put(*bucket, "large", bytes);
  ASSERT_TRUE(again.ok()) << again.error().to_string();
  EXPECT_TRUE(*bucket->get("large", kMaxObjectBytes) == bytes);
}

TEST(S3Failures, ACertificateMustBeTrusted) {
  const S3Server own(Scheme::kHttps);
  S3Options options = options_for(own.url());
  const auto strange = open(options);
  expect_error(put(*strange, "a", "bytes"), Code::kInvalid, "a certificate that is not trusted");
  options.ca_file = own.certificate();
  const auto bucket = open(options);
  const Status done = put(*bucket, "a", "bytes");
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_EQ(*bucket->get("a", 10), "bytes");
  options.ca_file = "/no/such/file";
  expect_error(put(*open(options), "a", "x"), Code::kInvalid, "not trusted");
}

// With a proxy in between, and a bucket that tries again and one that does not.
class S3Faults : public testing::Test {
 protected:
  void SetUp() override {
    S3Options options = options_for(proxy_.url());
    const auto pacing = options.pacing;
    bare_ = open(options);
    retrying_ = std::make_unique<RetryingBucket>(
        open(options),
        RetryOptions{.tries_max = 20, .wait_first = milliseconds(10), .pacing = pacing});
  }
  std::string faults() { return proxy_.tell(R"({"stats": true})"); }

  FaultProxy proxy_{server(), 7};
  std::unique_ptr<S3Bucket> bare_;
  std::unique_ptr<RetryingBucket> retrying_;
};

TEST_F(S3Faults, AnAnswerThatIsCutOffIsCorruptAndTriedAgain) {
  const std::string bytes = noise(100'000);
  ASSERT_TRUE(put(*bare_, "a", bytes).ok());
  proxy_.set_rules(R"({"method": "GET", "times": 3, "fault": "truncate"})");
  expect_error(bare_->get("a", 1'000'000), Code::kCorrupt, "cut off");
  std::string into(50'000, '?');
  expect_error(bare_->read("a", 0, as_writable_bytes(into)), Code::kCorrupt, "cut off");
  EXPECT_TRUE(*retrying_->get("a", 1'000'000) == bytes);
  EXPECT_EQ(retrying_->counters().retries, 1u);
}

TEST_F(S3Faults, AnAnswerThatIsDamagedIsCorruptAndTriedAgain) {
  const std::string bytes = noise(100'000);
  ASSERT_TRUE(put(*bare_, "a", bytes).ok());
  proxy_.set_rules(R"({"method": "GET", "times": 3, "fault": "corrupt"})");
  expect_error(bare_->get("a", 1'000'000), Code::kCorrupt, "not what its ETag says");
  EXPECT_TRUE(*retrying_->get("a", 1'000'000) == bytes);
  EXPECT_EQ(retrying_->counters().retries, 2u);
}

TEST_F(S3Faults, BytesDamagedOnTheWayUpAreFoundAndSentAgain) {
  for (const size_t size : {size_t{100'000}, size_t{20 * kMiB}}) {
    const std::string bytes = noise(size);
    proxy_.set_rules(R"({"method": "PUT", "times": 2, "fault": "corrupt_up"})");
    expect_error(put(*bare_, "a", bytes), Code::kCorrupt, "other bytes than were sent");
    const Status done = put(*retrying_, "a", bytes);
    ASSERT_TRUE(done.ok()) << done.error().to_string();
    proxy_.set_rules("");
    EXPECT_TRUE(*retrying_->get("a", kMaxObjectBytes) == bytes);
  }
}

TEST_F(S3Faults, AnAnswerThatIsLostIsUnavailableAndTriedAgain) {
  proxy_.set_rules(R"({"times": 1, "fault": "drop_answer"})");
  expect_error(put(*bare_, "a", "bytes"), Code::kUnavailable, "broke the connection");
  EXPECT_EQ(*bare_->get("a", 10), "bytes");
  proxy_.set_rules(R"({"times": 3, "fault": "drop_answer"})");
  EXPECT_TRUE(put(*retrying_, "b", "bytes").ok());
  proxy_.set_rules(R"({"times": 3, "fault": "drop"})");
  EXPECT_TRUE(retrying_->remove("b").ok());
  expect_error(bare_->info("b"), Code::kNotFound, "no such object");
}

TEST_F(S3Faults, AStormOf503IsWaitedOut) {
  proxy_.set_rules(R"({"times": 1, "fault": "throttle"})");
  expect_error(put(*bare_, "a", "bytes"), Code::kUnavailable, "the store throttles");
  proxy_.set_rules(R"({"times": 6, "fault": "throttle"})");
  EXPECT_TRUE(put(*retrying_, "a", "bytes").ok());
  EXPECT_EQ(retrying_->counters().retries, 6u);
  EXPECT_THAT(faults(), HasSubstr("\"throttle\": 7"));
}

TEST_F(S3Faults, AStoreThatSaysWhenToComeBackIsObeyed) {
  proxy_.set_rules(R"({"times": 1, "fault": "throttle", "status": 429, "retry_after": 2})");
  const int64_t began_ns = now_ns();
  EXPECT_TRUE(put(*retrying_, "a", "bytes").ok());
  EXPECT_GE(now_ns() - began_ns, 2 * kSecondNs);
  EXPECT_EQ(retrying_->counters().retries, 1u);
}

TEST_F(S3Faults, ASlowServerIsWaitedForAndASilentOneIsNot) {
  proxy_.set_rules(R"({"times": 1, "fault": "delay", "seconds": 1})");
  EXPECT_TRUE(put(*bare_, "a", "bytes").ok());
  proxy_.set_rules(R"({"times": 1, "fault": "hang"})");
  const int64_t began_ns = now_ns();
  expect_error(bare_->get("a", 10), Code::kUnavailable, "does not answer, or too slowly");
  EXPECT_LT(now_ns() - began_ns, 10 * kSecondNs);
  EXPECT_EQ(*bare_->get("a", 10), "bytes");
}

TEST_F(S3Faults, ANarrowLineIsSlowButGood) {
  proxy_.tell(R"({"bandwidth": {"up": 1048576, "down": 1048576}})");
  const std::string bytes = noise(3 * kMiB);
  const int64_t began_ns = now_ns();
  ASSERT_TRUE(put(*bare_, "a", bytes).ok());
  EXPECT_TRUE(*bare_->get("a", 4 * kMiB) == bytes);
  EXPECT_GE(now_ns() - began_ns, 5 * kSecondNs);
}

TEST_F(S3Faults, StopEndsAnUploadAtOnce) {
  proxy_.tell(R"({"bandwidth": {"up": 262144}})");
  const std::string bytes = noise(32 * kMiB);
  std::atomic<int> cancelled = 0;
  const auto upload = [&](const std::string& key, size_t size) {
    const Status done = put(*bare_, key, std::string_view(bytes).substr(0, size));
    cancelled += !done.ok() && done.code() == Code::kCancelled ? 1 : 0;
  };
  os::Thread whole("whole", [&] { upload("whole", 8 * kMiB); });
  os::Thread in_parts("parts", [&] { upload("parts", bytes.size()); });
  ::usleep(1'000'000);
  EXPECT_EQ(cancelled, 0);
  const int64_t began_ns = now_ns();
  bare_->stop();
  whole.join();
  in_parts.join();
  EXPECT_LT(now_ns() - began_ns, 2 * kSecondNs);
  EXPECT_EQ(cancelled, 2);
}

TEST_F(S3Faults, InAllWeatherWhatIsPutComesBackOrAnErrorDoes) {
  proxy_.set_rules(R"({"probability": 0.08, "fault": "throttle"},
                      {"probability": 0.05, "fault": "drop"},
                      {"probability": 0.05, "fault": "drop_answer"},
                      {"probability": 0.05, "fault": "truncate"},
                      {"method": "GET", "probability": 0.05, "fault": "corrupt"},
                      {"method": "PUT", "probability": 0.05, "fault": "corrupt_up"},
                      {"probability": 0.05, "fault": "delay", "seconds": 0.1})");
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kEach = 40;
  const auto work = [&](uint64_t thread) {
    for (uint64_t i = 0; i < kEach; ++i) {
      const std::string key = fmt::format("of{}/{:03}", thread, i);
      const std::string bytes = noise(1000 + 500 * i, thread * 1000 + i);
      const Status done = put(*retrying_, key, bytes);
      ASSERT_TRUE(done.ok()) << done.error().to_string();
      const auto got = retrying_->get(key, 1 * kMiB);
      ASSERT_TRUE(got.ok()) << got.error().to_string();
      EXPECT_TRUE(*got == bytes) << key;
    }
  };
  {
    std::vector<os::Thread> threads;
    for (uint64_t t = 1; t <= kThreads; ++t) threads.emplace_back("work", [&, t] { work(t); });
  }
  EXPECT_GT(retrying_->counters().retries, 20u);
  proxy_.set_rules("");
  size_t listed = 0;
  EXPECT_TRUE(retrying_->list("", [&](const ObjectInfo&) { return ++listed > 0; }).ok());
  EXPECT_EQ(listed, kThreads * kEach);
}

}  // namespace
}  // namespace nacre::bucket
