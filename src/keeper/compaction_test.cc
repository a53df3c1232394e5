#include "keeper/compaction.h"

#include <gtest/gtest.h>

#include "keeper/prune.h"
#include "keeper/test_check.h"
#include "keeper/test_exercise.h"
#include "keeper/test_volume.h"

namespace nacre::keeper {
namespace {

// Steps until nothing is left to look at.
CompactionTotals compact(Compactor& compactor) {
  CompactionTotals totals;
  compactor.begin_pass();
  for (int i = 0; i < 10'000 && !compactor.idle(); ++i) {
    const CompactionTotals step = must(compactor.step());
    totals.blocks_freed += step.blocks_freed;
    totals.bytes_written += step.bytes_written;
    totals.bytes_freed += step.bytes_freed;
    totals.damaged += step.damaged;
  }
  EXPECT_TRUE(compactor.idle());
  return totals;
}
CompactionTotals compact(TestVolume& test) {
  Compactor compactor(*test.volume);
  return compact(compactor);
}

void prune_all(TestVolume& test) {
  Pruner pruner(*test.volume);
  (void)must(prune(pruner, {UINT64_MAX}));
}

// A file whose block is mostly overwritten, with no history left: `kept` bytes of 60,000 survive.
InodeId sparse_file(TestVolume& test, const std::string& name, size_t kept) {
  const InodeId ino = test.make_file(name);
  test.write(ino, 0, TestVolume::noise(ino.value, 60'000));
  test.commit();
  test.write(ino, kept, TestVolume::noise(ino.value + 1000, 60'000 - kept));
  test.commit();
  prune_all(test);
  return ino;
}

TEST(Compaction, ABlockOfWhichLittleIsNeededGivesItsSpaceBack) {
  TestVolume test;
  const InodeId ino = sparse_file(test, "file", 10'000);
  const std::string bytes = test.read(ino);
  ASSERT_EQ(test.blocks.bytes(), 110'000u);
  const CompactionTotals totals = compact(test);
  EXPECT_EQ(totals.blocks_freed, 1u);
  EXPECT_EQ(totals.bytes_freed, 60'000u);
  EXPECT_EQ(totals.bytes_written, 10'000u);
  EXPECT_EQ(test.blocks.bytes(), 60'000u);
  EXPECT_EQ(test.read(ino), bytes);
}

TEST(Compaction, ADenseBlockStays) {
  TestVolume test;
  sparse_file(test, "file", 24'000);
  EXPECT_EQ(compact(test).blocks_freed, 0u);
}

TEST(Compaction, HistoryKeepsABlockDense) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, TestVolume::noise(1, 60'000));
  test.commit();
  test.write(ino, 10'000, TestVolume::noise(2, 50'000));
  test.commit();
  EXPECT_EQ(compact(test).blocks_freed, 0u);
}

TEST(Compaction, SurvivorsOfSeveralBlocksGoIntoOne) {
  TestVolume test;
  std::vector<InodeId> files;
  for (int i = 0; i < 4; ++i) files.push_back(sparse_file(test, std::to_string(i), 10'000));
  ASSERT_EQ(test.blocks.count(), 8u);
  EXPECT_EQ(compact(test).blocks_freed, 4u);
  EXPECT_EQ(test.blocks.count(), 5u);
  for (const InodeId ino : files) {
    EXPECT_EQ(test.read(ino), TestVolume::noise(ino.value, 60'000).substr(0, 10'000) +
                                  TestVolume::noise(ino.value + 1000, 50'000));
  }
}

TEST(Compaction, SharedBytesAreCopiedOnceAndStayShared) {
  TestVolume test;
  const InodeId ino = sparse_file(test, "file", 10'000);
  for (int i = 0; i < 5; ++i) {
    const InodeId copy = test.make_file("copy" + std::to_string(i));
    (void)must(test.tree->copy_range(ino, 0, copy, 0, 10'000));
  }
  test.commit();
  EXPECT_EQ(compact(test).bytes_written, 10'000u);
  EXPECT_EQ(test.blocks.bytes(), 60'000u);
  EXPECT_EQ(test.read(test.find("copy3")), test.read(ino).substr(0, 10'000));
}

TEST(Compaction, LiveAndPastRowsAreMovedAlike) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, TestVolume::noise(1, 60'000));
  test.commit();
  test.truncate(ino, 15'000);
  const Sequence longer = test.commit();
  test.truncate(ino, 5'000);
  test.commit();
  Pruner pruner(*test.volume);
  (void)must(prune(pruner, longer));
  const std::string before = test.read_past(longer, ino);
  ASSERT_EQ(before.size(), 15'000u);
  EXPECT_EQ(compact(test).blocks_freed, 1u);
  EXPECT_EQ(test.read_past(longer, ino), before);
  EXPECT_EQ(test.read(ino), before.substr(0, 5'000));
}

TEST(Compaction, AFreshCopyNotYetCommittedKeepsReading) {
  TestVolume test;
  const InodeId ino = sparse_file(test, "file", 10'000);
  const InodeId copy = test.make_file("copy");
  (void)must(test.tree->copy_range(ino, 0, copy, 0, 10'000));
  (void)compact(test);
  EXPECT_EQ(test.read(copy), test.read(ino).substr(0, 10'000));
  test.commit();
  test.reopen();
  EXPECT_EQ(test.read(copy), test.read(ino).substr(0, 10'000));
}

TEST(Compaction, ARottenBlockIsLeftAndReportedOnce) {
  TestVolume test;
  sparse_file(test, "file", 10'000);
  const auto owners = test.rows.iterate(kv::Family::kBlocks, kv::prefix_range("b"));
  for (owners->seek_to_first(); owners->valid(); owners->next()) {
    const auto row = must(wire::decode_block(owners->value()));
    if (row.referenced_bytes == 10'000) test.blocks.rot(must(wire::block_of(owners->key())));
  }
  Compactor compactor(*test.volume);
  EXPECT_EQ(compact(compactor).damaged, 1u);
  EXPECT_EQ(compact(compactor).damaged, 0u);
  EXPECT_EQ(test.blocks.count(), 2u);
}

TEST(Compaction, WithoutRoomForTheCopyNothingChanges) {
  TestVolume test;
  const InodeId ino = sparse_file(test, "file", 10'000);
  const std::string bytes = test.read(ino);
  test.blocks.set_full(true);
  Compactor compactor(*test.volume);
  compactor.begin_pass();
  const auto step = compactor.step();
  ASSERT_FALSE(step.ok());
  EXPECT_EQ(step.code(), Code::kNoSpace);
  EXPECT_EQ(test.blocks.count(), 2u);
  EXPECT_EQ(test.read(ino), bytes);
}

TEST(Compaction, SurvivorsThatNobodyOwnsAnyMoreLeaveNoBlockBehind) {
  TestVolume test;
  const BlockId block{7, 7};
  const std::string bytes(50'000, 'x');
  const ByteView part = as_bytes(bytes);
  must(test.blocks.put(block, std::span(&part, 1)));
  Victim victim{block, bytes.size(), {}};
  victim.survivors.add(0, 20'000);
  std::vector<Victim> victims;
  victims.push_back(std::move(victim));
  EXPECT_EQ(must(repack(*test.volume, std::move(victims))).bytes_written, 0u);
  EXPECT_EQ(test.blocks.count(), 1u);
}

TEST(Compaction, HintsAreLookedAtWithoutAPass) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, TestVolume::noise(1, 60'000));
  test.commit();
  test.truncate(ino, 10'000);
  test.commit();
  Pruner pruner(*test.volume);
  (void)must(prune(pruner, {UINT64_MAX}));
  Compactor compactor(*test.volume);
  EXPECT_TRUE(compactor.idle());
  compactor.look_at(*pruner.take_touched());
  while (!compactor.idle()) (void)must(compactor.step());
  EXPECT_EQ(test.blocks.bytes(), 10'000u);
}

TEST(Compaction, ABlockThatIsBothHintAndMetIsMovedOnce) {
  TestVolume test;
  const InodeId ino = sparse_file(test, "file", 10'000);
  Compactor compactor(*test.volume);
  const auto rows = test.rows.iterate(kv::Family::kBlocks, kv::prefix_range("b"));
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const BlockId block = must(wire::block_of(rows->key()));
    compactor.look_at({block, block});
  }
  EXPECT_EQ(compact(compactor).bytes_written, 10'000u);
  EXPECT_EQ(test.read(ino).size(), 60'000u);
  expect_clean(test);
}

TEST(Compaction, EveryReadPastAndPresentStaysTheSameThroughRandomWork) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    TestVolume test;
    Exercise work(test, seed);
    uint64_t freed = 0;
    Sequence floor;
    for (int turn = 0; turn < 6; ++turn) {
      work.rounds(12);
      Pruner pruner(*test.volume, 50);
      floor = std::max(floor, work.some_commit());
      (void)must(prune(pruner, floor));
      freed += compact(test).blocks_freed;
      work.expect_unchanged(floor);
    }
    EXPECT_GT(freed, 0u);
    test.reopen();
    work.expect_unchanged(floor);
  }
}

}  // namespace
}  // namespace nacre::keeper
