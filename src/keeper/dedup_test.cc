// Content that is stored once: what writes, upkeep, deletion and checks make of it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "keeper/compaction.h"
#include "keeper/forget.h"
#include "keeper/inline.h"
#include "keeper/prune.h"
#include "keeper/test_check.h"
#include "keeper/test_damage.h"
#include "wire/fingerprint_rows.h"

namespace nacre::keeper {
namespace {

constexpr uint64_t kRun = 4 * kKiB;
constexpr size_t kBytes = 40'000;

fs::VolumeSettings settings() {
  fs::VolumeSettings settings;
  settings.run_bytes = kRun;
  settings.name_key = {1, 2, 3};
  return settings;
}

void pause_briefly() {
  os::Mutex mutex;
  os::CondVar never;
  const os::Lock lock(mutex);
  never.wait_for(mutex, std::chrono::milliseconds(10));
}

void prune_all(TestVolume& test) {
  Pruner pruner(*test.volume);
  (void)must(prune(pruner, {UINT64_MAX}));
}

class Dedup : public testing::Test {
 protected:
  InodeId file_of(const std::string& name, std::string_view bytes) {
    const InodeId ino = test.make_file(name);
    test.write(ino, 0, bytes);
    return ino;
  }
  InodeId committed_file(const std::string& name, std::string_view bytes) {
    const InodeId ino = file_of(name, bytes);
    test.commit();
    return ino;
  }
  size_t fingerprints() {
    const size_t rows = test.count(kv::Family::kBlocks, "f");
    EXPECT_EQ(test.count(kv::Family::kBlocks, "h"), rows);
    return rows;
  }

  TestVolume test{settings()};
  const std::string content = TestVolume::noise(1, kBytes);
};

TEST_F(Dedup, TheSameContentAgainTakesNoRoom) {
  const InodeId first = committed_file("first", content);
  const InodeId second = committed_file("second", content);
  EXPECT_EQ(test.blocks.bytes(), kBytes);
  EXPECT_EQ(test.read(first), content);
  EXPECT_EQ(test.read(second), content);
  EXPECT_EQ(must(test.volume->get_attr(second)).allocated_bytes, kBytes);
  expect_clean(test);
}

TEST_F(Dedup, NorWithinOneCommit) {
  const InodeId first = file_of("first", content);
  const InodeId second = file_of("second", content + content.substr(0, kRun));
  test.commit();
  EXPECT_EQ(test.read(first), content);
  EXPECT_EQ(test.read(second), content + content.substr(0, kRun));
  // The last run of the second file holds other bytes than that of the first.
  EXPECT_EQ(test.blocks.bytes(), kBytes + kBytes % kRun + kRun);
  expect_clean(test);
}

TEST_F(Dedup, AChangedCopySharesTheRunsThatAreTheSame) {
  committed_file("first", content);
  std::string changed = content;
  changed[5 * kRun] = static_cast<char>(changed[5 * kRun] + 1);
  const InodeId second = committed_file("second", changed);
  EXPECT_EQ(test.blocks.bytes(), kBytes + kRun);
  EXPECT_EQ(test.read(second), changed);
  expect_clean(test);
}

TEST_F(Dedup, ASmallFileIsARun) {
  committed_file("first", TestVolume::noise(2, 3000));
  committed_file("second", TestVolume::noise(2, 3000));
  EXPECT_EQ(test.blocks.bytes(), 3000u);
}

TEST_F(Dedup, WithoutItEachCopyIsStored) {
  TestVolume usual;
  for (const char* const name : {"first", "second"}) {
    usual.write(usual.make_file(name), 0, content);
    usual.commit();
  }
  EXPECT_EQ(usual.blocks.bytes(), 2 * kBytes);
  EXPECT_EQ(usual.count(kv::Family::kBlocks, "f"), 0u);
}

TEST_F(Dedup, ABlockStaysUntilNobodyNeedsIt) {
  committed_file("first", content);
  const InodeId second = committed_file("second", content);
  test.unlink("first");
  test.commit();
  prune_all(test);
  EXPECT_EQ(test.read(second), content);
  EXPECT_EQ(test.blocks.bytes(), kBytes);
  EXPECT_GT(fingerprints(), 0u);
  expect_clean(test);
  test.unlink("second");
  test.commit();
  prune_all(test);
  EXPECT_EQ(test.blocks.bytes(), 0u);
  EXPECT_EQ(fingerprints(), 0u);
  EXPECT_EQ(*test.volume->state().referenced_bytes, 0u);
  expect_clean(test);
}

TEST_F(Dedup, ContentThatIsGoneIsStoredAnew) {
  committed_file("first", content);
  test.unlink("first");
  test.commit();
  prune_all(test);
  const InodeId second = committed_file("second", content);
  EXPECT_EQ(test.blocks.bytes(), kBytes);
  EXPECT_EQ(test.read(second), content);
  expect_clean(test);
}

TEST_F(Dedup, HistoryIsSharedToo) {
  const InodeId first = committed_file("first", content);
  const Sequence then = test.volume->committed();
  test.write(first, 0, TestVolume::noise(3, kBytes));
  test.commit();
  const InodeId second = committed_file("second", content);
  EXPECT_EQ(test.blocks.bytes(), 2 * kBytes);
  EXPECT_EQ(test.read_past(then, first), content);
  EXPECT_EQ(test.read(second), content);
}

TEST_F(Dedup, ForgottenContentIsNotFoundAgain) {
  const InodeId first = committed_file("first", content);
  committed_file("beside", TestVolume::noise(2, kBytes));
  test.unlink("first");
  test.commit();
  Compactor compactor(*test.volume);
  (void)must(forget(*test.volume, compactor, first, {true}));
  EXPECT_EQ(test.blocks.bytes(), kBytes);
  EXPECT_EQ(fingerprints(), kBytes / kRun + 1);
  expect_clean(test);
}

TEST_F(Dedup, CompactionTakesFingerprintsAlong) {
  const InodeId first = committed_file("first", content);
  test.write(first, 2 * kRun, TestVolume::noise(4, kBytes - 2 * kRun));
  test.commit();
  prune_all(test);
  Compactor compactor(*test.volume);
  compactor.begin_pass();
  CompactionTotals totals;
  while (!compactor.idle()) totals.add(must(compactor.step()));
  ASSERT_EQ(totals.blocks_freed, 1u);
  expect_clean(test);
  const uint64_t before = test.blocks.bytes();
  const InodeId second = committed_file("second", content.substr(0, 2 * kRun));
  EXPECT_EQ(test.blocks.bytes(), before);
  EXPECT_EQ(test.read(second), content.substr(0, 2 * kRun));
  expect_clean(test);
}

TEST_F(Dedup, SmallWritesOfManyCommitsShareTheirBytesWhenTheyMoveToBlocks) {
  const std::string small = TestVolume::noise(5, 900);
  for (int i = 0; i < 10; ++i) committed_file(std::to_string(i), small);
  InlineMover mover(*test.volume);
  EXPECT_EQ(must(mover.step(true)).rows, 10u);
  EXPECT_EQ(test.blocks.bytes(), 900u);
  committed_file("later", small);
  EXPECT_EQ(must(mover.step(true)).rows, 1u);
  EXPECT_EQ(test.blocks.bytes(), 900u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(test.read(test.find(std::to_string(i))), small);
  EXPECT_EQ(test.read(test.find("later")), small);
  expect_clean(test);
}

TEST_F(Dedup, HistoryIsReclaimableHoweverOftenThePresentIsShared) {
  for (int i = 0; i < 10; ++i) committed_file(std::to_string(i), content);
  EXPECT_EQ(test.volume->usage().reclaimable, 0u);
  EXPECT_EQ(*test.volume->usage().referenced, 10 * kBytes);
  const InodeId other = committed_file("other", TestVolume::noise(2, kBytes));
  test.write(other, 0, TestVolume::noise(3, kBytes));
  test.commit();
  EXPECT_GT(test.volume->usage().reclaimable, 0u);
  prune_all(test);
  EXPECT_EQ(test.volume->usage().reclaimable, 0u);
}

TEST_F(Dedup, AFailedCommitIsMadeGoodByTheNext) {
  committed_file("first", content);
  const InodeId second = file_of("second", content + TestVolume::noise(6, kBytes));
  test.blocks.set_full(true);
  EXPECT_EQ(test.volume->commit().code(), Code::kNoSpace);
  test.unlink("first");
  prune_all(test);
  test.blocks.set_full(false);
  test.commit();
  prune_all(test);
  EXPECT_EQ(test.read(second), content + TestVolume::noise(6, kBytes));
  expect_clean(test);
}

TEST_F(Dedup, ACommitThatFailsHalfWayKeepsWhatItFound) {
  committed_file("first", content);
  const BlockId block = Damage(test).only_block();
  test.unlink("first");
  test.commit();
  const InodeId second = file_of("second", content + TestVolume::noise(6, kBytes));
  test.blocks.refuse_syncs(2);  // that of the commit, and of its next try, which upkeep makes
  EXPECT_EQ(test.volume->commit().code(), Code::kNoSpace);
  prune_all(test);
  EXPECT_TRUE(test.blocks.contains(block));
  test.commit();
  EXPECT_EQ(test.read(second), content + TestVolume::noise(6, kBytes));
  expect_clean(test);
}

// With threads of its own, which store while memory is short, and no commit but those asked for.
class EagerDedup : public Dedup {
 protected:
  EagerDedup() {
    test.settings.background = true;
    test.settings.dirty_limit_bytes = 128 * kKiB;
    test.settings.commit_interval_ns = int64_t{3600} * kSecondNs;
    test.reopen();
  }
  // Enough to be stored at once.
  const std::string rest = TestVolume::noise(7, 96 * kKiB);

  void wait_until_stored() {
    for (int i = 0; i < 1000 && test.volume->usage().dirty > 0; ++i) {
      pause_briefly();
    }
    EXPECT_EQ(test.volume->usage().dirty, 0u);
  }
  std::string aligned() const { return content.substr(0, 8 * kRun); }
};

TEST_F(EagerDedup, WhatIsStoredAheadOfTheCommitIsFoundBeforeIt) {
  const InodeId first = file_of("first", rest);
  wait_until_stored();
  const InodeId second = file_of("second", rest);
  wait_until_stored();
  EXPECT_EQ(test.blocks.bytes(), rest.size());
  test.commit();
  const InodeId third = file_of("third", rest);
  wait_until_stored();
  test.commit();
  EXPECT_EQ(test.blocks.bytes(), rest.size());
  for (const InodeId ino : {first, second, third}) EXPECT_EQ(test.read(ino), rest);
  expect_clean(test);
}

TEST_F(EagerDedup, ABlockGivenUpBetweenFindingAndUsingItIsNotUsed) {
  committed_file("first", aligned());
  const BlockId block = Damage(test).only_block();
  test.unlink("first");
  test.commit();
  // The first put waits for another thread, which prunes meanwhile.
  enum Stage : int { kBefore, kInPut, kPruned };
  std::atomic<int> stage = kBefore;
  test.blocks.on_put([&] {
    int before = kBefore;
    if (!stage.compare_exchange_strong(before, kInPut)) return;
    while (stage != kPruned) pause_briefly();
  });
  const InodeId second = file_of("second", aligned() + rest);  // the rest is put
  for (int i = 0; i < 1000 && stage != kInPut; ++i) pause_briefly();
  EXPECT_EQ(stage, kInPut);
  prune_all(test);
  stage = kPruned;
  wait_until_stored();
  EXPECT_FALSE(test.blocks.contains(block));
  test.commit();
  EXPECT_EQ(test.read(second), aligned() + rest);
  expect_clean(test);
}

TEST_F(EagerDedup, ABlockInUseOfWhatIsNotCommittedYetIsNotGivenUp) {
  committed_file("first", aligned());
  const BlockId block = Damage(test).only_block();
  test.unlink("first");
  test.commit();
  const InodeId second = file_of("second", aligned() + rest);
  wait_until_stored();
  prune_all(test);
  EXPECT_TRUE(test.blocks.contains(block));
  EXPECT_EQ(test.read(second), aligned() + rest);
  test.commit();
  expect_clean(test);
}

TEST_F(EagerDedup, ABlockThatGoesWithTheCommitIsNotFoundByWhatComesAfterTheCut) {
  const InodeId first = file_of("first", rest);
  wait_until_stored();
  test.truncate(first, 0);  // nothing shows the block any more
  const std::string later = TestVolume::noise(8, 96 * kKiB);
  std::atomic<int> puts = 0;
  std::atomic<bool> done = false;
  InodeId second;
  // While the commit stores its part, the same content comes again.
  test.blocks.on_put([&] {
    if (puts++ != 0) return;
    second = file_of("second", rest);
    for (int i = 0; i < 300 && test.volume->usage().dirty > later.size(); ++i) {
      pause_briefly();
    }
    done = true;
  });
  const InodeId third = test.make_file("third");
  test.write(third, 0, later.substr(0, 2000));  // too little to be stored ahead of the commit
  test.commit();
  EXPECT_TRUE(done);
  test.commit();
  EXPECT_EQ(test.read(second), rest);
  expect_clean(test);
}

// --- check --------------------------------------------------------------------------------------

class DedupDamage : public Dedup {
 protected:
  DedupDamage() { committed_file("file", content.substr(0, kRun)); }
  std::string fingerprint_row() { return damage.only_key(kv::Family::kBlocks, "f"); }
  std::string place_row() { return damage.only_key(kv::Family::kBlocks, "h"); }

  Damage damage{test};
};

TEST_F(DedupDamage, AFingerprintOfNoBlockIsFoundAndMended) {
  test.put_row(kv::Family::kBlocks, wire::fingerprint_key({1, 2}),
               wire::encode(wire::ContentPlace{{3, 4}, 0, kRun}));
  expect_mended(test, FindingKind::kFingerprint);
}

TEST_F(DedupDamage, SoIsOneOfBytesPastTheEnd) {
  test.put_row(kv::Family::kBlocks, wire::fingerprint_key({1, 2}),
               wire::encode(wire::ContentPlace{damage.only_block(), 1, kRun}));
  expect_mended(test, FindingKind::kFingerprint);
}

TEST_F(DedupDamage, SoIsOneWithoutTheRowOfItsPlace) {
  test.erase_row(kv::Family::kBlocks, place_row());
  expect_mended(test, FindingKind::kFingerprint);
}

TEST_F(DedupDamage, SoIsAPlaceWithoutItsFingerprint) {
  test.erase_row(kv::Family::kBlocks, fingerprint_row());
  expect_mended(test, FindingKind::kFingerprint);
}

TEST_F(DedupDamage, SoAreRowsThatDoNotDecode) {
  test.put_row(kv::Family::kBlocks, fingerprint_row(), "rubbish");
  test.put_row(kv::Family::kBlocks, wire::fingerprint_of_key({1, 2}, 3), "rubbish");
  expect_mended(test, FindingKind::kFingerprint);
}

TEST_F(DedupDamage, AFingerprintOfOtherBytesIsFoundByADeepCheck) {
  const std::string row = test.row(kv::Family::kBlocks, fingerprint_row());
  test.erase_row(kv::Family::kBlocks, fingerprint_row());
  test.put_row(kv::Family::kBlocks, wire::fingerprint_key({1, 2}), row);
  test.put_row(kv::Family::kBlocks, place_row(), wire::encode_fingerprint({1, 2}));
  EXPECT_TRUE(check(test).summary.clean());
  const Checked deep = check_deep(test);
  EXPECT_TRUE(deep.only(FindingKind::kFingerprint)) << deep.text();
  EXPECT_EQ(deep.summary.errors, 1u);
  (void)check(test, {.deep = true, .repair = true, .exclusively = {}});
  expect_clean(test);
  EXPECT_EQ(fingerprints(), 0u);
}

TEST_F(DedupDamage, AWrongCountOfReferencedBytesIsCountedAgain) {
  test.volume->change_state([](wire::StateRow& state) { *state.referenced_bytes += 5; });
  test.commit();
  expect_mended(test, FindingKind::kCounter);
}

TEST_F(DedupDamage, ABlockThatIsNotNeededTakesItsFingerprintsAlong) {
  const BlockId block = damage.only_block();
  const std::string extent = wire::extent_key(test.find("file"), 0);
  test.erase_row(kv::Family::kLive, extent);
  (void)repair(test);
  EXPECT_FALSE(test.blocks.contains(block));
  expect_clean(test);
  EXPECT_EQ(fingerprints(), 0u);
}

}  // namespace
}  // namespace nacre::keeper
