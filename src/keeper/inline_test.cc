#include "keeper/inline.h"

#include <gtest/gtest.h>

#include "keeper/prune.h"
#include "keeper/test_exercise.h"
#include "keeper/test_volume.h"

namespace nacre::keeper {
namespace {

wire::ExtentRow extent_of(TestVolume& test, InodeId ino, uint64_t offset = 0) {
  return must(wire::decode_extent(test.row(kv::Family::kLive, wire::extent_key(ino, offset))));
}

// Moves everything there is, at once.
InlineMover::Step move_all(TestVolume& test) {
  InlineMover mover(*test.volume);
  InlineMover::Step total;
  for (bool more = true; more;) {
    const auto step = must(mover.step(true));
    total.rows += step.rows;
    total.bytes += step.bytes;
    more = step.more;
  }
  return total;
}

TEST(InlineMover, LargeInlineRowsGoToABlockAndReadTheSame) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  const std::string bytes = TestVolume::noise(1, 1000);
  test.write(ino, 0, bytes);
  test.commit();
  ASSERT_EQ(extent_of(test, ino).kind, wire::ExtentKind::kInline);
  EXPECT_EQ(move_all(test).rows, 1u);
  EXPECT_EQ(extent_of(test, ino).kind, wire::ExtentKind::kBlock);
  EXPECT_EQ(test.blocks.bytes(), 1000u);
  EXPECT_EQ(test.read(ino), bytes);
}

TEST(InlineMover, SmallOnesStay) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, TestVolume::noise(1, InlineMover::kStaysBytes));
  test.commit();
  EXPECT_EQ(move_all(test).rows, 0u);
  EXPECT_EQ(extent_of(test, ino).kind, wire::ExtentKind::kInline);
  EXPECT_EQ(test.blocks.count(), 0u);
}

TEST(InlineMover, RowsOfManyCommitsShareABlock) {
  TestVolume test;
  for (uint64_t i = 0; i < 10; ++i) {
    test.write(test.make_file(std::to_string(i)), 0, TestVolume::noise(i, 900));
    test.commit();
  }
  EXPECT_EQ(move_all(test).rows, 10u);
  EXPECT_EQ(test.blocks.count(), 1u);
  for (uint64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(test.read(test.find(std::to_string(i))), TestVolume::noise(i, 900));
  }
}

TEST(InlineMover, ReplacedRowsMoveWithTheirHistory) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  std::vector<Sequence> at;
  for (uint64_t i = 0; i < 5; ++i) {
    test.write(ino, 0, TestVolume::noise(i, 1000));
    at.push_back(test.commit());
  }
  EXPECT_EQ(move_all(test).rows, 5u);
  for (uint64_t i = 0; i < 5; ++i)
    EXPECT_EQ(test.read_past(at[i], ino), TestVolume::noise(i, 1000));
  Pruner pruner(*test.volume);
  (void)must(prune(pruner, {UINT64_MAX}));
  EXPECT_EQ(test.read(ino), TestVolume::noise(4, 1000));
}

TEST(InlineMover, WaitsUntilTheBatchIsLargeOrOld) {
  TestVolume test;
  InlineMover mover(*test.volume);
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, TestVolume::noise(1, 1000));
  test.commit();
  EXPECT_EQ(must(mover.step()).rows, 0u);
  test.clock.advance(InlineMover::kOldNs);
  EXPECT_EQ(must(mover.step()).rows, 1u);

  for (uint64_t i = 0; i < 60; ++i) {
    test.write(test.make_file(std::to_string(i)), 0, TestVolume::noise(i, 1000));
    must(test.volume->commit());
  }
  EXPECT_EQ(must(mover.step()).rows, 60u);
}

TEST(InlineMover, GoesOnFromItsMarkAfterAReopen) {
  TestVolume test;
  test.write(test.make_file("a"), 0, TestVolume::noise(1, 1000));
  test.commit();
  EXPECT_EQ(move_all(test).rows, 1u);
  const Sequence moved =
      must(wire::decode_mark(test.row(kv::Family::kVolume, wire::kInlineMarkKey))).sequence;
  EXPECT_EQ(moved, test.volume->committed());
  test.write(test.make_file("b"), 0, TestVolume::noise(2, 1000));
  test.commit();
  test.reopen();
  EXPECT_EQ(move_all(test).rows, 1u);
  EXPECT_EQ(test.read(test.find("b")), TestVolume::noise(2, 1000));
}

TEST(InlineMover, LiveBytesCountWhatMovedIntoBlocks) {
  TestVolume test;
  test.write(test.make_file("a"), 0, TestVolume::noise(1, 1000));
  test.commit();
  EXPECT_EQ(test.volume->state().live_bytes, 0u);
  move_all(test);
  EXPECT_EQ(test.volume->state().live_bytes, 1000u);
  EXPECT_EQ(must(wire::decode_state(test.row(kv::Family::kVolume, wire::kStateKey))).live_bytes,
            1000u);
}

TEST(InlineMover, WithoutRoomTheRowsStayAsTheyAre) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, TestVolume::noise(1, 1000));
  test.commit();
  test.blocks.set_full(true);
  InlineMover mover(*test.volume);
  const auto step = mover.step(true);
  ASSERT_FALSE(step.ok());
  EXPECT_EQ(step.code(), Code::kNoSpace);
  EXPECT_EQ(test.read(ino), TestVolume::noise(1, 1000));
}

TEST(InlineMover, EveryReadStaysTheSameThroughRandomWork) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    TestVolume test;
    Exercise work(test, seed);
    uint64_t moved = 0;
    for (int turn = 0; turn < 5; ++turn) {
      work.rounds(10);
      moved += move_all(test).rows;
      work.expect_unchanged();
    }
    EXPECT_GT(moved, 0u);
  }
}

}  // namespace
}  // namespace nacre::keeper
