#include "device/segment_table.h"

#include <gtest/gtest.h>

namespace nacre::device {
namespace {

// Eight segments of 256 pages, all with space on the host.
class SegmentTableTest : public testing::Test {
 protected:
  void SetUp() override {
    for (uint32_t i = 0; i < 8; ++i) table_.restore(i, {.exists = true});
    table_.finish_restore();
  }
  // A sealed segment with that many pages used and live.
  uint32_t sealed(uint64_t generation, uint32_t used, uint32_t live) {
    const uint32_t segment = table_.take_free(Purpose::kMove)->segment;
    table_.begin_use(segment, generation);
    table_.set_end(segment, 1 + used);
    table_.add_live(segment, generation, live);
    table_.seal(segment, false);
    return segment;
  }
  void free(uint32_t segment, int64_t now_ns) {
    EXPECT_TRUE(table_.begin_free(segment, true));
    table_.free(segment, now_ns);
  }

  SegmentTable table_{8, 256};
};

TEST_F(SegmentTableTest, KeepsItsReserveForRemovalsAndCleaning) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(table_.take_free(Purpose::kNew));
  EXPECT_FALSE(table_.take_free(Purpose::kNew));
  EXPECT_TRUE(table_.take_free(Purpose::kTombstones));
  EXPECT_FALSE(table_.take_free(Purpose::kTombstones));
  EXPECT_TRUE(table_.take_free(Purpose::kMove));
  EXPECT_TRUE(table_.take_free(Purpose::kMove));
  EXPECT_FALSE(table_.take_free(Purpose::kMove));
}

TEST_F(SegmentTableTest, CleansWhatGivesMost) {
  sealed(1, 200, 190);
  const uint32_t sparse = sealed(2, 200, 20);
  sealed(3, 200, 100);
  const auto candidate = table_.next_candidate(10);
  ASSERT_TRUE(candidate);
  EXPECT_EQ(candidate->segment, sparse);
  EXPECT_EQ(candidate->gain_pages, 236u);
  EXPECT_EQ(candidate->generation, 2u);
}

TEST_F(SegmentTableTest, LeavesFullSegmentsAndThoseInUseSinceTheCleaningBegan) {
  sealed(1, 250, 250);
  sealed(12, 200, 20);
  EXPECT_FALSE(table_.next_candidate(10));
}

TEST_F(SegmentTableTest, CountsTombstonesAsLivingUntilTheirTargetIsFree) {
  const uint32_t target = sealed(1, 200, 0);
  const uint32_t holder = sealed(2, 200, 0);
  for (int i = 0; i < 500; ++i) table_.add_tombstone(target, 1, holder, 2);
  EXPECT_EQ(table_.all_dead(), std::vector<uint32_t>{target});
  EXPECT_TRUE(table_.needs_tombstone(target, 1));
  EXPECT_FALSE(table_.needs_tombstone(target, 7));
  EXPECT_FALSE(table_.needs_tombstone(target, 1, target));
  free(target, 0);
  EXPECT_FALSE(table_.needs_tombstone(target, 1));
  EXPECT_EQ(table_.all_dead(), std::vector<uint32_t>{holder});
}

TEST_F(SegmentTableTest, GivesUpNoTombstoneWhileCopiesMayLieAbout) {
  const uint32_t stale = sealed(1, 200, 100);
  table_.set_stale(stale);
  EXPECT_TRUE(table_.needs_tombstone(7, 99));
  EXPECT_EQ(table_.next_candidate(10)->segment, stale);
  sealed(2, 200, 0);
  EXPECT_TRUE(table_.all_dead().empty());
  free(stale, 0);
  EXPECT_FALSE(table_.needs_tombstone(7, 99));
  EXPECT_EQ(table_.all_dead().size(), 1u);
}

TEST_F(SegmentTableTest, IgnoresRemovalsFromAnEarlierUse) {
  const uint32_t segment = sealed(1, 100, 50);
  free(segment, 0);
  table_.add_live(segment, 1, -50);
  EXPECT_EQ(table_.totals().live_pages, 0);
  EXPECT_EQ(table_.totals().used_pages, 0);
}

TEST_F(SegmentTableTest, WhatIsBeingCleanedTakesNoMoreAppends) {
  const uint32_t segment = table_.take_free(Purpose::kNew)->segment;
  table_.begin_use(segment, 1);
  table_.set_end(segment, 11);
  table_.seal(segment, true);
  EXPECT_EQ(table_.totals().appendable_pages, 245);
  ASSERT_TRUE(table_.next_candidate(10));
  EXPECT_FALSE(table_.take_appendable(1));
  EXPECT_EQ(table_.totals().appendable_pages, 0);
}

TEST_F(SegmentTableTest, IsNotReadUntilItsHeaderIsWritten) {
  const uint32_t segment = table_.take_free(Purpose::kNew)->segment;
  EXPECT_FALSE(table_.pin_in_use(segment));
  table_.begin_use(segment, 1);
  EXPECT_TRUE(table_.pin_in_use(segment));
}

TEST_F(SegmentTableTest, IsNotFreedUnderAReader) {
  const uint32_t segment = sealed(1, 10, 0);
  ASSERT_TRUE(table_.pin_in_use(segment));
  EXPECT_FALSE(table_.begin_free(segment, false));
  table_.unpin(segment);
  EXPECT_TRUE(table_.begin_free(segment, false));
  EXPECT_FALSE(table_.pin_in_use(segment));
}

TEST_F(SegmentTableTest, ReleasesTheLongestFreeSpare) {
  const uint32_t first = sealed(1, 10, 0);
  const uint32_t second = sealed(2, 10, 0);
  free(second, 100);
  free(first, 200);
  for (int i = 0; i < 6; ++i) (void)table_.take_spare(0, 0);
  EXPECT_FALSE(table_.take_spare(0, 99));
  EXPECT_FALSE(table_.take_spare(2, 1000));
  EXPECT_EQ(table_.take_spare(0, 1000), second);
  EXPECT_EQ(table_.take_spare(0, 1000), first);
}

}  // namespace
}  // namespace nacre::device
