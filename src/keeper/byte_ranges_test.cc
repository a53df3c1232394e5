#include "keeper/byte_ranges.h"

#include <gtest/gtest.h>

namespace nacre::keeper {
namespace {

TEST(ByteRanges, OverlappingAndTouchingRangesBecomeOne) {
  ByteRanges ranges;
  ranges.add(10, 20);
  ranges.add(30, 40);
  ranges.add(20, 25);
  ranges.add(15, 18);
  EXPECT_EQ(ranges.bytes(), 25u);
  EXPECT_EQ(ranges.ranges().size(), 2u);
  ranges.add(0, 100);
  EXPECT_EQ(ranges.bytes(), 100u);
  EXPECT_EQ(ranges.ranges().size(), 1u);
}

TEST(ByteRanges, OnlyARangeThatHoldsItAllCoversAPart) {
  ByteRanges ranges;
  ranges.add(10, 20);
  ranges.add(30, 40);
  EXPECT_EQ(ranges.covering(12, 20)->first, 10u);
  EXPECT_EQ(ranges.covering(12, 21), nullptr);
  EXPECT_EQ(ranges.covering(15, 35), nullptr);
  EXPECT_EQ(ranges.covering(0, 5), nullptr);
  EXPECT_EQ(ranges.end(), 40u);
}

TEST(ByteRanges, AnEmptyRangeAddsNothing) {
  ByteRanges ranges;
  ranges.add(5, 5);
  EXPECT_EQ(ranges.bytes(), 0u);
  EXPECT_EQ(ranges.end(), 0u);
}

}  // namespace
}  // namespace nacre::keeper
