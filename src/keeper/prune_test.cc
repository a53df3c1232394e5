#include "keeper/prune.h"

#include <gtest/gtest.h>

#include "keeper/retention.h"
#include "keeper/test_check.h"
#include "keeper/test_volume.h"

namespace nacre::keeper {
namespace {

// Prunes to the floor in steps of a few rows.
PruneTotals prune_to(TestVolume& test, Sequence floor, uint64_t rows_per_step = 3) {
  Pruner pruner(*test.volume, rows_per_step);
  return must(prune(pruner, floor));
}

bool readable(TestVolume& test, uint64_t sequence) {
  meta::When when;
  when.kind = meta::When::Kind::kSequence;
  when.sequence = {sequence};
  return meta::resolve(test.rows, when).ok();
}

// A file rewritten in ten commits; what it held at each.
struct Rewritten {
  explicit Rewritten(TestVolume& test) {
    ino = test.make_file("file");
    for (uint64_t i = 0; i < 10; ++i) {
      const std::string bytes = TestVolume::noise(i, 5000 + 100 * i);
      test.write(ino, 0, bytes);
      at.push_back(test.commit());
      contents.push_back(bytes);
    }
  }
  InodeId ino;
  std::vector<Sequence> at;
  std::vector<std::string> contents;
};

TEST(Prune, HistoryFromTheFloorOnReadsAsItWas) {
  TestVolume test;
  const Rewritten file(test);
  const PruneTotals totals = prune_to(test, file.at[6]);
  EXPECT_TRUE(totals.done);
  EXPECT_GT(totals.dropped, 0u);
  EXPECT_EQ(test.volume->state().floor, file.at[6]);
  for (size_t i = 6; i < 10; ++i) EXPECT_EQ(test.read_past(file.at[i], file.ino), file.contents[i]);
}

TEST(Prune, ReadsBelowTheFloorAreRefused) {
  TestVolume test;
  const Rewritten file(test);
  ASSERT_TRUE(readable(test, file.at[5].value));
  prune_to(test, file.at[6]);
  EXPECT_FALSE(readable(test, file.at[5].value));
  EXPECT_TRUE(readable(test, file.at[6].value));
}

TEST(Prune, PruningToTheLastCommitLeavesNoHistoryAndOneChange) {
  TestVolume test;
  const Rewritten file(test);
  prune_to(test, {UINT64_MAX});
  EXPECT_EQ(test.count(kv::Family::kPast), 0u);
  EXPECT_EQ(test.count(kv::Family::kChanges), 1u);
  EXPECT_EQ(test.read(file.ino), file.contents.back());
}

TEST(Prune, ASnapshotPinsWhatItShowsAndNothingElse) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, "first state of the file");
  test.commit();
  test.write(ino, 0, "state the snapshot keeps");
  test.snapshot("kept");
  const Sequence kept = must(meta::find_snapshot(test.rows, "kept"))->sequence;
  const TreeImage image = test.image(kept);
  for (int i = 0; i < 5; ++i) {
    test.write(ino, 0, "later state " + std::to_string(i) + std::string(600, 'x'));
    test.make_file("other" + std::to_string(i));
    test.commit();
  }
  const size_t before = test.count(kv::Family::kPast);
  prune_to(test, {UINT64_MAX});
  EXPECT_LT(test.count(kv::Family::kPast), before);
  EXPECT_EQ(test.image(kept), image);
  EXPECT_EQ(test.read_past(kept, ino), "state the snapshot keeps");
}

TEST(Prune, AfterItsSnapshotIsDeletedPinnedHistoryGoes) {
  TestVolume test;
  const Rewritten file(test);
  test.snapshot("kept");
  test.write(file.ino, 0, std::string(3000, 'z'));
  test.commit();
  Pruner pruner(*test.volume, 3);
  (void)must(prune(pruner, {UINT64_MAX}));
  ASSERT_GT(test.count(kv::Family::kPast), 0u);

  must(delete_snapshot(*test.volume, "kept"));
  const PruneTotals again = must(prune(pruner, test.volume->state().floor));
  EXPECT_GT(again.dropped, 0u);
  EXPECT_EQ(test.count(kv::Family::kPast), 0u);
  EXPECT_EQ(test.count(kv::Family::kChanges), 1u);
}

TEST(Prune, ASnapshotDeletedInTheMiddleOfPruningLeavesNothingBehind) {
  for (uint64_t steps = 0; steps < 12; ++steps) {
    TestVolume test;
    const Rewritten file(test);
    test.snapshot("kept");
    test.truncate(file.ino, 0);
    test.commit();
    Pruner pruner(*test.volume, 2);
    for (uint64_t i = 0; i < steps; ++i) (void)must(pruner.step({UINT64_MAX}));
    must(delete_snapshot(*test.volume, "kept"));
    (void)must(prune(pruner, {UINT64_MAX}));
    EXPECT_EQ(test.count(kv::Family::kPast), 0u) << steps;
  }
}

TEST(Prune, OneOfTwoSnapshotsThatPinARowIsEnough) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, "kept twice");
  test.snapshot("one");
  test.snapshot("two");
  test.write(ino, 0, "replaced..");
  test.commit();
  prune_to(test, {UINT64_MAX});
  const Sequence two = must(meta::find_snapshot(test.rows, "two"))->sequence;
  must(delete_snapshot(*test.volume, "one"));
  prune_to(test, {UINT64_MAX});
  EXPECT_EQ(test.read_past(two, ino), "kept twice");
}

TEST(Prune, ABlockGoesExactlyWhenItsLastPastRowGoes) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, TestVolume::noise(1, 40'000));
  test.commit();
  test.write(ino, 0, TestVolume::noise(2, 20'000));  // the first block still has a live half
  const Sequence halved = test.commit();
  test.write(ino, 20'000, TestVolume::noise(3, 20'000));
  const Sequence replaced = test.commit();
  ASSERT_EQ(test.blocks.count(), 3u);
  prune_to(test, halved);
  EXPECT_EQ(test.blocks.count(), 3u) << "the half shown as of the floor needs it";
  prune_to(test, replaced);
  EXPECT_EQ(test.blocks.count(), 2u);
  EXPECT_EQ(test.count(kv::Family::kBlocks, "b"), 2u);
}

TEST(Prune, AnotherPrunerGoesOnWhereOneStopped) {
  TestVolume test;
  const Rewritten file(test);
  for (int i = 0; i < 200; ++i) {
    Pruner pruner(*test.volume, 4);
    if (must(pruner.step(file.at[7])).done) break;
    ASSERT_LT(i, 199);
  }
  EXPECT_EQ(test.volume->state().floor, file.at[7]);
  EXPECT_EQ(test.volume->state().pruned, file.at[7]);
  for (size_t i = 7; i < 10; ++i) EXPECT_EQ(test.read_past(file.at[i], file.ino), file.contents[i]);
}

TEST(Prune, StopsWhenItIsTold) {
  TestVolume test;
  const Rewritten file(test);
  Pruner pruner(*test.volume, 2);
  int asked = 0;
  const PruneTotals totals =
      must(prune(pruner, {UINT64_MAX}, [&](const PruneTotals&) { return ++asked < 3; }));
  EXPECT_FALSE(totals.done);
  EXPECT_EQ(asked, 3);
  // The floor rose with what was dropped: everything from it on still reads.
  const Sequence floor = test.volume->state().floor;
  for (size_t i = 0; i < 10; ++i) {
    if (file.at[i] < floor) continue;
    EXPECT_EQ(test.read_past(file.at[i], file.ino), file.contents[i]);
  }
}

TEST(Prune, ARestoreNotYetCommittedKeepsItsBlock) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  const std::string old = TestVolume::noise(1, 40'000);
  test.write(ino, 0, old);
  const Sequence at = test.commit();
  test.truncate(ino, 0);
  test.commit();
  const InodeId copy = test.make_file("copy");
  must(test.volume->restore_content(ino, at, copy));
  prune_to(test, {UINT64_MAX});
  EXPECT_EQ(test.read(copy), old);
  test.commit();
  EXPECT_EQ(test.read(copy), old);
}

TEST(Prune, WorksWhileACommitFindsNoRoom) {
  TestVolume test;
  const Rewritten file(test);
  test.write(file.ino, 0, TestVolume::noise(99, 30'000));
  test.blocks.set_full(true);
  EXPECT_EQ(test.volume->commit().code(), Code::kNoSpace);
  const uint64_t before = test.blocks.bytes();
  prune_to(test, {UINT64_MAX});
  EXPECT_LT(test.blocks.bytes(), before);
  test.blocks.set_full(false);
  must(test.volume->commit());
  EXPECT_EQ(test.read(file.ino), TestVolume::noise(99, 30'000));
  EXPECT_EQ(must(wire::decode_state(test.row(kv::Family::kVolume, wire::kStateKey))).floor,
            file.at.back());
  expect_clean(test);
}

TEST(Prune, ABlockThatSuchACommitSharesIsKeptForIt) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  const std::string old = TestVolume::noise(1, 40'000);
  test.write(ino, 0, old);
  const Sequence at = test.commit();
  test.truncate(ino, 0);
  test.commit();
  const InodeId copy = test.make_file("copy");
  must(test.volume->restore_content(ino, at, copy));
  test.write(test.make_file("other"), 0, TestVolume::noise(2, 30'000));
  test.blocks.set_full(true);
  EXPECT_EQ(test.volume->commit().code(), Code::kNoSpace);
  Pruner pruner(*test.volume);
  EXPECT_FALSE(prune(pruner, {UINT64_MAX}).ok());
  EXPECT_EQ(test.read(copy), old);
  test.blocks.set_full(false);
  must(test.volume->commit());
  (void)must(prune(pruner, {UINT64_MAX}));
  EXPECT_EQ(test.read(copy), old);
  expect_clean(test);
}

TEST(Prune, NamesWhoseBlocksLostReferences) {
  TestVolume test;
  const Rewritten file(test);
  Pruner pruner(*test.volume);
  (void)must(prune(pruner, {UINT64_MAX}));
  EXPECT_EQ(pruner.take_touched()->size(), 9u);
  EXPECT_TRUE(pruner.take_touched()->empty());
}

}  // namespace
}  // namespace nacre::keeper
