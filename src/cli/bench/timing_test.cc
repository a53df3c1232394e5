#include "cli_bench/timing.h"

#include <gtest/gtest.h>

#include <string>

namespace nacre::cli::bench {
namespace {

TEST(Percentile, IsTheSmallestLatencyThatTheShareDoesNotExceed) {
  std::vector<int64_t> hundred;
  for (int64_t us = 100; us > 0; --us) hundred.push_back(us * 1000);
  EXPECT_EQ(percentile_us(hundred, 0.50), 50);
  EXPECT_EQ(percentile_us(hundred, 0.99), 99);
  EXPECT_EQ(percentile_us(hundred, 1.0), 100);
  std::vector<int64_t> one = {7000};
  EXPECT_EQ(percentile_us(one, 0.50), 7);
  std::vector<int64_t> none;
  EXPECT_EQ(percentile_us(none, 0.50), 0);
}

TEST(Stopwatch, TimesEachOperationAndTheWhole) {
  os::ManualClock clock;
  const Stopwatch stopwatch(clock, nullptr);
  const auto measured = stopwatch.time_each(3, [&](uint64_t index) -> Status {
    clock.advance(static_cast<int64_t>(index + 1) * 10);
    return {};
  });
  ASSERT_TRUE(measured.ok());
  EXPECT_EQ(measured->count, 3u);
  EXPECT_EQ(measured->elapsed_ns, 60);
  EXPECT_EQ(measured->latencies_ns, (std::vector<int64_t>{10, 20, 30}));
}

TEST(Stopwatch, EndsAtTheFirstFailure) {
  os::ManualClock clock;
  const Stopwatch stopwatch(clock, nullptr);
  uint64_t last = 0;
  const auto measured = stopwatch.time_each(9, [&](uint64_t index) -> Status {
    last = index;
    if (index == 2) return Code::kNoSpace;
    return {};
  });
  EXPECT_EQ(measured.code(), Code::kNoSpace);
  EXPECT_EQ(last, 2u);
}

TEST(Stopwatch, ThreadsAddUpAndRunAtOnce) {
  const Stopwatch stopwatch(os::real_clock(), nullptr);
  std::atomic<int> inside = 0;
  const auto measured = stopwatch.time_threads(4, [&](uint64_t) -> Result<Measured> {
    ++inside;
    while (inside < 4) {
    }  // ends only if all four are let in together
    Measured part;
    part.count = 5;
    part.latencies_ns = {1, 2};
    return part;
  });
  ASSERT_TRUE(measured.ok());
  EXPECT_EQ(measured->count, 20u);
  EXPECT_EQ(measured->latencies_ns.size(), 8u);
  EXPECT_GT(measured->elapsed_ns, 0);
}

TEST(Stopwatch, AnErrorOfOneThreadIsReported) {
  const Stopwatch stopwatch(os::real_clock(), nullptr);
  const auto measured = stopwatch.time_threads(3, [](uint64_t thread) -> Result<Measured> {
    if (thread == 1) return Code::kNoSpace;
    return Measured();
  });
  EXPECT_EQ(measured.code(), Code::kNoSpace);
}

}  // namespace
}  // namespace nacre::cli::bench
