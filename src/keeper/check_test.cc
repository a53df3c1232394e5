// Checks of whole volumes: clean ones, whatever was done to them.
#include "keeper/check.h"

#include <gtest/gtest.h>

#include "fs/acl.h"
#include "keeper/compaction.h"
#include "keeper/forget.h"
#include "keeper/inline.h"
#include "keeper/prune.h"
#include "keeper/retention.h"
#include "keeper/test_check.h"
#include "keeper/test_exercise.h"

namespace nacre::keeper {
namespace {

TEST(Check, AFreshVolumeIsClean) {
  TestVolume test;
  expect_clean(test);
  EXPECT_EQ(check(test).summary.inodes, 1u);
}

TEST(Check, ARandomlyExercisedVolumeIsCleanAfterEveryDuty) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    TestVolume test;
    Exercise work(test, seed);
    Pruner pruner(*test.volume, 40);
    Compactor compactor(*test.volume);
    InlineMover mover(*test.volume);
    for (int turn = 0; turn < 4; ++turn) {
      work.rounds(10);
      expect_clean(test);
      if (turn == 1) test.snapshot("kept");
      (void)must(mover.step(true));
      expect_clean(test);
      (void)must(prune(pruner, work.some_commit()));
      expect_clean(test);
      compactor.begin_pass();
      while (!compactor.idle()) (void)must(compactor.step());
      expect_clean(test);
    }
    must(delete_snapshot(*test.volume, "kept"));
    expect_clean(test);
    (void)must(prune(pruner, {UINT64_MAX}));
    expect_clean(test);
    test.reopen();
    expect_clean(test);
  }
}

TEST(Check, PruningInTheMiddleOfACommitLeavesACleanVolume) {
  TestVolume test;
  Exercise work(test, 5);
  work.rounds(15);
  for (int i = 0; i < 40; ++i) {
    Pruner pruner(*test.volume, static_cast<uint64_t>(1 + i % 5));
    (void)must(pruner.step({UINT64_MAX}));
    expect_clean(test);
  }
}

TEST(Check, ForgettingLeavesACleanVolume) {
  for (const bool whole : {false, true}) {
    TestVolume test;
    Exercise work(test, 7);
    work.rounds(30);
    Compactor compactor(*test.volume);
    const uint64_t inodes = test.volume->state().next_inode;
    for (uint64_t ino = 2; ino < inodes; ino += 2) {
      const auto done = forget(*test.volume, compactor, {ino}, {whole});
      EXPECT_TRUE(done.ok() || done.code() == Code::kNotFound || done.code() == Code::kIsDirectory);
      expect_clean(test);
    }
  }
}

TEST(Check, AnUnlinkedFileThatIsOpenIsNoDamage) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, std::string(5'000, 'x'));
  (void)must(test.tree->lookup(kRootInode, "file"));  // held
  test.unlink("file");
  test.commit();
  expect_clean(test);
  test.tree->forget(ino, 1);
  test.commit();
  expect_clean(test);
}

TEST(Check, AccessListsAreNoDamage) {
  TestVolume test;
  const InodeId dir = test.make_directory("dir");
  // Owner rwx, user 1000 r--, group r-x, mask r-x, other ---.
  const std::string acl = [] {
    std::string value("\2\0\0\0", 4);
    const auto entry = [&](uint16_t tag, uint16_t permissions, uint32_t id) {
      value.append(reinterpret_cast<const char*>(&tag), 2);
      value.append(reinterpret_cast<const char*>(&permissions), 2);
      value.append(reinterpret_cast<const char*>(&id), 4);
    };
    entry(fs::Acl::kUserObject, 7, UINT32_MAX);
    entry(fs::Acl::kUser, 4, 1000);
    entry(fs::Acl::kGroupObject, 5, UINT32_MAX);
    entry(fs::Acl::kMask, 5, UINT32_MAX);
    entry(fs::Acl::kOther, 0, UINT32_MAX);
    return value;
  }();
  must(test.tree->set_xattr(dir, fs::kDefaultAclName, acl, fs::XattrMode::kSet, false));
  const InodeId file = test.make_file(dir, "file");
  must(test.tree->set_xattr(file, "user.a", "1", fs::XattrMode::kSet, false));
  test.commit();
  expect_clean(test);
  must(test.tree->remove_xattr(dir, fs::kDefaultAclName));
  must(test.tree->remove_xattr(file, "user.a"));
  test.commit();
  expect_clean(test);
}

TEST(Check, WorkNotYetCommittedIsCommittedFirst) {
  TestVolume test;
  test.write(test.make_file("file"), 0, std::string(5'000, 'x'));
  EXPECT_EQ(check(test).summary.inodes, 2u);
  expect_clean(test);
}

TEST(Check, StopsWhenToldTo) {
  TestVolume test;
  const auto stopped = keeper::check(*test.volume, {}, [](const CheckStage&) { return false; }, {});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.code(), Code::kBusy);
}

TEST(Check, DeepReadsEachReferencedByteOnce) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, TestVolume::noise(1, 50'000));
  test.commit();
  const InodeId copy = test.make_file("copy");
  (void)must(test.tree->copy_range(ino, 0, copy, 0, 50'000));
  test.commit();
  EXPECT_EQ(check(test).summary.bytes_read, 0u);
  EXPECT_EQ(check_deep(test).summary.bytes_read, 50'000u);
}

TEST(Check, RepairNeedsAVolumeOpenForWriting) {
  TestVolume test;
  test.reopen();
  test.settings.read_only = true;
  test.open();
  CheckOptions options;
  options.repair = true;
  EXPECT_EQ(keeper::check(*test.volume, options, {}, {}).code(), Code::kReadOnly);
  EXPECT_TRUE(check(test).summary.clean());
}

TEST(Check, RepairOfACleanVolumeChangesNothing) {
  TestVolume test;
  Exercise work(test, 2);
  work.rounds(10);
  EXPECT_TRUE(repair(test).findings.empty());
  work.expect_unchanged();
  expect_clean(test);
}

}  // namespace
}  // namespace nacre::keeper
