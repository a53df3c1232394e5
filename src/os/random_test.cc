#include "os/random.h"

#include <gtest/gtest.h>

#include <set>

namespace nacre::os {
namespace {

TEST(SeededRandom, GivesThePublishedNumbersOfSplitmix64) {
  SeededRandom random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(RealRandom, DoesNotRepeatItself) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(seen.insert(real_random().next()).second);
  }
}

}  // namespace
}  // namespace nacre::os
