#include "tier/residence.h"

#include <gmock/gmock.h>

namespace nacre::tier {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

BlockId id(uint64_t number) { return {number, number}; }

class ResidenceTest : public testing::Test {
 protected:
  void put(uint64_t number, uint64_t bytes = 10) {
    residence_.add_dirty({.id = id(number),
                          .bytes = bytes,
                          .since_ns = static_cast<int64_t>(number),
                          .batch = number});
  }
  std::vector<uint64_t> take(uint64_t bytes) {
    std::vector<uint64_t> numbers;
    for (const DirtyBlock& block : residence_.take_dirty(bytes)) numbers.push_back(block.id.low);
    return numbers;
  }
  void upload_all() {
    for (const DirtyBlock& block : residence_.take_dirty(UINT64_MAX)) residence_.uploaded(block.id);
  }
  uint64_t victim(const std::function<bool(BlockId)>& stays = [](BlockId) { return false; }) {
    const auto found = residence_.next_victim(stays);
    return found ? found->id.low : 0;
  }

  Residence residence_;
};

TEST_F(ResidenceTest, GivesDirtyBlocksOldestFirst) {
  for (uint64_t i = 1; i <= 5; ++i) put(i);
  EXPECT_THAT(take(25), ElementsAre(1, 2));
  EXPECT_THAT(take(5), ElementsAre(3));  // at least one
  residence_.put_back(id(1));
  residence_.put_back(id(3));
  EXPECT_THAT(take(100), ElementsAre(1, 3, 4, 5));
  EXPECT_THAT(take(100), IsEmpty());
}

TEST_F(ResidenceTest, LetsNoDirtyBlockGo) {
  put(1);
  put(2);
  EXPECT_EQ(victim(), 0u);
  EXPECT_THAT(take(10), ElementsAre(1));
  EXPECT_EQ(victim(), 0u);
  EXPECT_TRUE(residence_.uploaded(id(1)));
  EXPECT_EQ(victim(), 1u);
  EXPECT_EQ(victim(), 0u);
}

TEST_F(ResidenceTest, RecallsWhatWasReadOftenBefore) {
  for (uint64_t i = 1; i <= 6; ++i) residence_.add_clean(id(i), 10);
  for (int i = 0; i < 2; ++i) residence_.touch(id(2));
  residence_.touch(id(5));
  const std::vector<wire::BlockHeat> heat = residence_.heat();
  EXPECT_THAT(heat, ElementsAre(wire::BlockHeat{id(2), 2}, wire::BlockHeat{id(5), 1}));
  Residence later;
  put(7);
  for (uint64_t i = 6; i >= 2; --i) later.add_clean(id(i), 10);
  later.add_dirty({.id = id(7), .bytes = 10});
  std::vector<wire::BlockHeat> told = heat;
  told.push_back({id(7), 3});  // dirty: of no account
  told.push_back({id(99), 3});
  told.push_back({id(6), 200});
  later.recall(told);
  EXPECT_EQ(later.heat(), (std::vector<wire::BlockHeat>{{id(2), 2}, {id(5), 1}, {id(6), 3}}));
  std::vector<uint64_t> order;
  while (const auto victim = later.next_victim([](BlockId) { return false; })) {
    order.push_back(victim->id.low);
  }
  EXPECT_THAT(order, ElementsAre(4, 3, 5, 2, 6));
}

TEST_F(ResidenceTest, KnowsUpToWhichBatchAllIsInTheBucket) {
  EXPECT_EQ(residence_.settled_batch(9), 9u);
  put(3);
  put(5);
  EXPECT_EQ(residence_.settled_batch(9), 3u);
  EXPECT_EQ(residence_.settled_batch(2), 2u);
  EXPECT_THAT(take(20), ElementsAre(3, 5));
  residence_.uploaded(id(5));
  EXPECT_EQ(residence_.settled_batch(9), 3u);
  residence_.uploaded(id(3));
  EXPECT_EQ(residence_.settled_batch(9), 9u);
}

TEST_F(ResidenceTest, AMarkStandsForWhatBecameDirtyBefore) {
  EXPECT_TRUE(residence_.is_uploaded_before(residence_.mark()));
  for (uint64_t i = 1; i <= 3; ++i) put(i);
  const uint64_t mark = residence_.mark();
  put(4);
  EXPECT_THAT(take(30), ElementsAre(1, 2, 3));
  residence_.uploaded(id(1));
  residence_.forget(id(3));
  EXPECT_FALSE(residence_.is_uploaded_before(mark));
  residence_.put_back(id(2));
  put(5);
  EXPECT_FALSE(residence_.is_uploaded_before(mark));
  EXPECT_THAT(take(10), ElementsAre(2));
  residence_.uploaded(id(2));
  EXPECT_TRUE(residence_.is_uploaded_before(mark));
  EXPECT_FALSE(residence_.is_uploaded_before(residence_.mark()));
}

TEST_F(ResidenceTest, TellsTheUploaderWhatWasForgottenMeanwhile) {
  put(1);
  put(2);
  EXPECT_THAT(take(20), ElementsAre(1, 2));
  EXPECT_TRUE(residence_.forget(id(1)));
  EXPECT_FALSE(residence_.uploaded(id(1)));
  EXPECT_TRUE(residence_.uploaded(id(2)));
  EXPECT_FALSE(residence_.forget(id(2)));
  const ResidenceTotals totals = residence_.totals();
  EXPECT_EQ(totals.dirty_bytes + totals.clean_bytes + totals.dirty_blocks + totals.clean_blocks,
            0u);
}

TEST_F(ResidenceTest, KeepsWhatWasReadOverWhatWasNot) {
  for (uint64_t i = 1; i <= 6; ++i) put(i);
  upload_all();
  for (const uint64_t i : {1, 4}) residence_.touch(id(i));
  EXPECT_EQ(victim(), 2u);
  EXPECT_EQ(victim(), 3u);
  EXPECT_EQ(victim(), 5u);
  EXPECT_EQ(victim(), 6u);
  EXPECT_EQ(victim(), 1u);
  EXPECT_EQ(victim(), 4u);
}

// One look at much data pushes out little but itself.
TEST_F(ResidenceTest, AScanLeavesTheHotBlocks) {
  for (uint64_t i = 1; i <= 10; ++i) {
    residence_.add_clean(id(i), 10);
    for (int use = 0; use < 3; ++use) residence_.touch(id(i));
  }
  for (uint64_t i = 90; i < 94; ++i) residence_.add_clean(id(i), 10);  // the small queue's share
  for (uint64_t i = 100; i < 200; ++i) {
    residence_.add_clean(id(i), 10);
    residence_.touch(id(i % 10 + 1));
    EXPECT_GE(victim(), 90u);
  }
}

TEST_F(ResidenceTest, WhatComesAgainSoonIsHot) {
  for (uint64_t i = 1; i <= 20; ++i) residence_.add_clean(id(i), 10);
  EXPECT_EQ(victim(), 1u);
  residence_.add_clean(id(1), 10);
  for (uint64_t i = 2; i <= 18; ++i) EXPECT_EQ(victim(), i);
}

TEST_F(ResidenceTest, PassesOverWhatStays) {
  for (uint64_t i = 1; i <= 3; ++i) residence_.add_clean(id(i), 10);
  const auto odd = [](BlockId block) { return block.low % 2 == 1; };
  EXPECT_EQ(victim(odd), 2u);
  EXPECT_EQ(victim(odd), 0u);
  EXPECT_EQ(residence_.totals().clean_bytes, 20u);
  EXPECT_NE(victim(), 0u);
}

TEST_F(ResidenceTest, CountsPartsTogether) {
  residence_.add_clean(id(1), 10);
  residence_.add_clean(id(1), 5);
  put(2, 7);
  residence_.add_clean(id(2), 5);  // it is whole already
  const ResidenceTotals totals = residence_.totals();
  EXPECT_EQ(totals.clean_blocks, 1u);
  EXPECT_EQ(totals.clean_bytes, 15u);
  EXPECT_EQ(totals.dirty_bytes, 7u);
  EXPECT_EQ(totals.oldest->id, id(2));
}

}  // namespace
}  // namespace nacre::tier
