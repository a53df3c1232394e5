#include "cli/progress_bar.h"

#include <gtest/gtest.h>

#include "base/units.h"

namespace nacre::cli {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

TEST(Progress, ShowsShareRateAndTimeLeft) {
  EXPECT_EQ(progress_text({"checking", kGiB, 2 * kGiB, "bytes"}, 4 * kSecondNs),
            "checking: [############            ]  50%, 1.00 GiB of 2.00 GiB, 256 MiB/s, 4 s left");
}

TEST(Progress, OfUnknownLengthShowsWhatIsDone) {
  EXPECT_EQ(progress_text({"pruning", 500, 0, "rows"}, 10 * kSecondNs),
            "pruning: 500 rows, 50 rows/s");
  EXPECT_EQ(progress_text({"waiting", 0, 0, ""}, kSecondNs), "waiting");
}

TEST(Progress, BeyondItsEndIsComplete) {
  EXPECT_EQ(progress_text({"checking", 12, 10, "rows"}, kSecondNs),
            "checking: [########################] 100%, 10 rows of 10 rows, 12 rows/s");
}

TEST(ProgressBar, IsSilentForTwoSecondsAndWhereNobodyLooks) {
  os::ManualClock clock;
  testing::internal::CaptureStderr();
  {
    ProgressBar bar(clock, true);
    bar.show({"checking", 1, 2, "rows"});
    clock.advance(kSecondNs);
    bar.show({"checking", 1, 2, "rows"});
    ProgressBar unseen(clock, false);
    clock.advance(10 * kSecondNs);
    unseen.show({"checking", 1, 2, "rows"});
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(ProgressBar, ShowsItselfAndLeavesNothingBehind) {
  os::ManualClock clock;
  testing::internal::CaptureStderr();
  {
    ProgressBar bar(clock, true);
    bar.show({"checking", 1, 4, "rows"});
    clock.advance(3 * kSecondNs);
    bar.show({"checking", 3, 4, "rows"});
  }
  const std::string shown = testing::internal::GetCapturedStderr();
  EXPECT_NE(shown.find("75%"), std::string::npos) << shown;
  EXPECT_TRUE(shown.ends_with("\r\033[K"));
}

}  // namespace
}  // namespace nacre::cli
