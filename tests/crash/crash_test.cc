// Power cuts at random moments: the volume comes back as it was at some commit, at the last one
// acknowledged or later, and with all its past. By itself: a fixed number of seeds. For more:
//   crash_test --seeds N [--first N] [--steps N]
#include <gtest/gtest.h>

#include <iostream>

#include "crash/crash_variants.h"
#include "model/command_line.h"

namespace nacre::crash {
namespace {

constexpr uint64_t kSeeds = 2000;
constexpr size_t kSteps = 60;

TEST(Crash, AVolumeComesBackAsOfACommitThatIsNotOlderThanTheLastAcknowledged) {
  EXPECT_EQ(try_crashes(1, kSeeds, kSteps), "");
}

}  // namespace
}  // namespace nacre::crash

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const nacre::model::CommandLine options(argc, argv);
  if (options.empty()) return RUN_ALL_TESTS();
  const std::string report =
      nacre::crash::try_crashes(options.number("--first", 1), options.number("--seeds", 1),
                                options.number("--steps", nacre::crash::kSteps));
  std::cout << (report.empty() ? "all is well\n" : report);
  return report.empty() ? 0 : 1;
}
