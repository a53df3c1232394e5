#include "os/clock.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "os/file_system.h"
#include "os/temp_directory.h"

namespace nacre::os {
namespace {

TEST(RealClock, MonotonicTimeNeverGoesBack) {
  int64_t last_ns = real_clock().monotonic_ns();
  for (int i = 0; i < 10'000; ++i) {
    const int64_t ns = real_clock().monotonic_ns();
    ASSERT_GE(ns, last_ns);
    last_ns = ns;
  }
}

TEST(RealClock, WallTimeIsThatOfTheKernelsFileTimes) {
  const TempDirectory temp;
  const Timestamp before = real_clock().now();
  ASSERT_TRUE(real_file_system().open(temp / "file", OpenMode::kCreate).ok());
  struct stat info = {};
  ASSERT_EQ(::stat((temp / "file").c_str(), &info), 0);
  const int64_t file_ns = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
  EXPECT_GE(file_ns, before.ns);
  EXPECT_LT(file_ns - before.ns, 10'000'000'000);
}

TEST(ManualClock, StandsStillUntilAdvanced) {
  ManualClock clock({1000});
  EXPECT_EQ(clock.now().ns, 1000);
  const int64_t start_ns = clock.monotonic_ns();
  clock.advance(500);
  EXPECT_EQ(clock.now().ns, 1500);
  EXPECT_EQ(clock.monotonic_ns() - start_ns, 500);
}

}  // namespace
}  // namespace nacre::os
