#include "keeper/keeper.h"

#include <gtest/gtest.h>

#include "keeper/test_check.h"
#include "keeper/test_exercise.h"

namespace nacre::keeper {
namespace {

constexpr uint64_t kCapacity = 64 * kMiB;

// A volume of 64 MiB with large files, and its keeper. Blocks are of 1 MiB.
struct KeeperTest : ::testing::Test {
  static fs::VolumeSettings settings() {
    fs::VolumeSettings settings;
    settings.block_size = kMiB;
    settings.capacity_bytes = kCapacity;
    return settings;
  }
  // Another version of a file of 1 MiB: what was before is history.
  Sequence version(InodeId ino, uint64_t seed) {
    test.write(ino, 0, TestVolume::noise(seed, kMiB));
    return test.commit();
  }
  void tick(int rounds = 1) {
    for (int i = 0; i < rounds; ++i) {
      test.clock.advance(kSecondNs);
      must(keeper.tick());
    }
  }
  TestVolume test{settings(), kCapacity};
  Keeper keeper{*test.volume};
};

TEST_F(KeeperTest, HistoryStaysWhileThereIsRoomHoweverOld) {
  const InodeId ino = test.make_file("file");
  const Sequence first = version(ino, 1);
  for (uint64_t i = 2; i <= 20; ++i) {
    version(ino, i);
    test.clock.advance(10 * kDayNs);
  }
  must(keeper.confirm_clock());
  tick(5);
  EXPECT_EQ(test.volume->state().floor, Sequence{0});
  EXPECT_EQ(test.read_past(first, ino), TestVolume::noise(1, kMiB));
}

TEST_F(KeeperTest, OverItsBudgetHistoryOlderThanKeepGoesOldestFirst) {
  must(set_policy(*test.volume, {static_cast<uint64_t>(5 * kDayNs), 20}));
  const InodeId ino = test.make_file("file");
  std::vector<Sequence> at;
  for (uint64_t i = 0; i < 20; ++i) {
    at.push_back(version(ino, i));
    test.clock.advance(kDayNs);
  }
  tick(10);
  const Sequence floor = test.volume->state().floor;
  EXPECT_GT(floor, Sequence{0});
  EXPECT_LE(floor, at[15]) << "what is younger than keep stays";
  EXPECT_EQ(test.read_past(at[16], ino), TestVolume::noise(16, kMiB));
  EXPECT_GT(keeper.status().rows_pruned, 0u);
  EXPECT_FALSE(keeper.status().pressure.over_budget);
  expect_clean(test);
}

TEST_F(KeeperTest, WhileTheClockIsInDoubtAgePrunesNothing) {
  must(set_policy(*test.volume, {static_cast<uint64_t>(5 * kDayNs), 20}));
  const InodeId ino = test.make_file("file");
  for (uint64_t i = 0; i < 20; ++i) {
    version(ino, i);
    test.clock.advance(kDayNs);
  }
  test.volume->change_state([](wire::StateRow& state) { state.clock_suspect = true; });
  tick(5);
  EXPECT_EQ(test.volume->state().floor, Sequence{0});
  EXPECT_TRUE(keeper.status().clock_suspect);
  EXPECT_EQ(keeper.prune_to_policy().code(), Code::kBusy);
  must(keeper.confirm_clock());
  tick(5);
  EXPECT_GT(test.volume->state().floor, Sequence{0});
}

TEST_F(KeeperTest, WritersFindRoomWhereYoungHistoryWas) {
  const InodeId ino = test.make_file("file");
  // Three times what fits; everything is younger than keep.
  for (uint64_t i = 0; i < 3 * kCapacity / kMiB; ++i) {
    const std::string bytes = TestVolume::noise(i, kMiB);
    ASSERT_TRUE(test.tree->write(ino, 0, as_bytes(bytes), {}).ok()) << i;
    test.commit();
  }
  EXPECT_EQ(test.read(ino), TestVolume::noise(3 * kCapacity / kMiB - 1, kMiB));
  EXPECT_GT(test.volume->state().floor, Sequence{0});
  expect_clean(test);
}

TEST_F(KeeperTest, WhatIsLiveIsNeverGivenUp) {
  uint64_t written = 0;
  for (; written < 100; ++written) {
    const auto made = test.tree->make_node({}, kRootInode, std::to_string(written), {});
    if (!made.ok()) break;
    const std::string bytes = TestVolume::noise(written, kMiB);
    const Status status = test.tree->write(made->attr.ino, 0, as_bytes(bytes), {});
    if (!status.ok()) {
      EXPECT_EQ(status.code(), Code::kNoSpace);
      break;
    }
    test.commit();
  }
  EXPECT_GT(written, 40u);
  EXPECT_LT(written, 64u);
  for (uint64_t i = 0; i < written; ++i) {
    EXPECT_EQ(test.read(test.find(std::to_string(i))), TestVolume::noise(i, kMiB));
  }
  expect_clean(test);
}

TEST_F(KeeperTest, BeforeSpaceRunsOutTheRoundsMakeRoom) {
  const InodeId ino = test.make_file("file");
  for (uint64_t i = 0; i < 3 * kCapacity / kMiB; ++i) {
    version(ino, i);
    tick();
    EXPECT_GT(free_bytes(test.volume->usage()), 0u);
  }
  expect_clean(test);
}

TEST_F(KeeperTest, HistoryOfADeletedSnapshotGoesWithTheNextRound) {
  const InodeId ino = test.make_file("file");
  version(ino, 1);
  test.snapshot("kept");
  version(ino, 2);
  (void)must(keeper.prune({UINT64_MAX}));
  ASSERT_EQ(test.blocks.count(), 2u);
  must(delete_snapshot(*test.volume, "kept"));
  tick();
  EXPECT_EQ(test.blocks.count(), 1u);
}

TEST_F(KeeperTest, RoundsMoveInlineBytesAndCompactSparseBlocks) {
  const InodeId small = test.make_file("small");
  test.write(small, 0, TestVolume::noise(1, 900));
  const InodeId large = test.make_file("large");
  test.commit();
  version(large, 2);
  test.truncate(large, 100'000);
  test.commit();
  (void)must(keeper.prune({UINT64_MAX}));
  test.clock.advance(InlineMover::kOldNs);
  tick(3);
  EXPECT_EQ(keeper.status().inline_bytes_moved, 900u);
  EXPECT_EQ(keeper.status().blocks_compacted, 1u);
  EXPECT_EQ(test.blocks.bytes(), 100'900u);
  EXPECT_EQ(test.read(large), TestVolume::noise(2, kMiB).substr(0, 100'000));
  expect_clean(test);
}

TEST_F(KeeperTest, PruningOnDemandFollowsThePolicy) {
  must(set_policy(*test.volume, {static_cast<uint64_t>(5 * kDayNs), 80}));
  const InodeId ino = test.make_file("file");
  std::vector<Sequence> at;
  for (uint64_t i = 0; i < 10; ++i) {
    at.push_back(version(ino, i));
    test.clock.advance(kDayNs);
  }
  EXPECT_TRUE(must(keeper.prune_to_policy()).done);
  EXPECT_EQ(test.volume->state().floor, at[5]);
}

TEST_F(KeeperTest, CompactionOnDemandLooksAtEveryBlock) {
  const InodeId ino = test.make_file("file");
  version(ino, 1);
  test.truncate(ino, 1'000);
  test.commit();
  Pruner pruner(*test.volume);
  (void)must(prune(pruner, {UINT64_MAX}));
  EXPECT_EQ(must(keeper.compact()).blocks_freed, 1u);
}

TEST_F(KeeperTest, ChecksAndForgetsOnDemand) {
  const InodeId ino = test.make_file("file");
  version(ino, 1);
  test.unlink("file");
  test.commit();
  EXPECT_EQ(must(keeper.forget(ino, {})).blocks_freed, 1u);
  CheckOptions options;
  options.deep = true;
  EXPECT_TRUE(must(keeper.check(options, {}, {})).clean());
}

TEST_F(KeeperTest, ItsThreadWorksBesideWritersAndStops) {
  fs::VolumeSettings settings;
  settings.block_size = 64 * kKiB;
  settings.inline_limit_bytes = 2 * kKiB;
  settings.commit_interval_ns = 1'000'000;
  kv::MemoryStore rows;
  TestBlocks blocks(kGiB);
  os::SeededRandom random(1);
  auto volume = must(fs::Volume::open({rows, blocks, os::real_clock(), random}, settings));
  must(set_policy(*volume, {0, 0}));
  fs::LiveTree tree(*volume);
  KeeperOptions options;
  options.tick_ns = 1'000'000;
  options.compaction_pass_ns = 1'000'000;
  auto busy = std::make_unique<Keeper>(*volume, options);
  busy->start();
  std::map<uint64_t, std::string> expected;
  std::map<uint64_t, InodeId> files;
  for (uint64_t i = 0; i < 1'500; ++i) {
    const uint64_t name = random.next() % 20;
    if (!files.contains(name)) {
      files[name] = must(tree.make_node({}, kRootInode, std::to_string(name), {})).attr.ino;
    }
    const std::string bytes = TestVolume::noise(i, 1 + random.next() % 20'000);
    must(tree.write(files[name], 0, as_bytes(bytes), {}));
    expected[name].replace(0, bytes.size(), bytes);
    if (i % 50 == 0) must(tree.sync(files[name], fs::SyncScope::kAll));
    const bool look = i % 300 == 0;
    EXPECT_TRUE(!look || must(busy->check({}, {}, {})).clean());
  }
  must(volume->commit());
  busy->stop();
  EXPECT_EQ(busy->status().last_error, "");
  EXPECT_GT(busy->status().rows_pruned, 0u);
  for (const auto& [name, bytes] : expected) {
    std::string read(bytes.size(), '\0');
    (void)must(tree.read(files[name], 0, as_writable_bytes(read)));
    EXPECT_EQ(read, bytes);
  }
  CheckOptions deep;
  deep.deep = true;
  EXPECT_TRUE(must(busy->check(deep, {}, {})).clean());
}

}  // namespace
}  // namespace nacre::keeper
