#include "os/process_usage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "os/clock.h"

namespace nacre::os {
namespace {

TEST(ProcessUsage, IsThatOfAProcessThatRuns) {
  const ProcessUsage usage = process_usage();
  EXPECT_GT(usage.resident_bytes, 1u << 20);
  EXPECT_GT(usage.virtual_bytes, usage.resident_bytes);
  EXPECT_GE(usage.threads, 1u);
  EXPECT_GE(usage.descriptors, 3u);
  EXPECT_GT(usage.descriptors_max, usage.descriptors);
}

TEST(ProcessUsage, CountsWhatIsOpened) {
  const uint64_t before = process_usage().descriptors;
  const int first = ::open("/dev/null", O_RDONLY);
  const int second = ::open("/dev/null", O_RDONLY);
  EXPECT_EQ(process_usage().descriptors, before + 2);
  ::close(first);
  ::close(second);
  EXPECT_EQ(process_usage().descriptors, before);
}

TEST(ProcessUsage, GrowsWithWork) {
  const double before = process_usage().cpu_seconds;
  const int64_t until_ns = real_clock().monotonic_ns() + 50'000'000;
  while (real_clock().monotonic_ns() < until_ns) {
  }
  EXPECT_GT(process_usage().cpu_seconds, before);
}

}  // namespace
}  // namespace nacre::os
