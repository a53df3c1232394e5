// Damage to content, history, the feed, the books and the blocks: each kind is found, and mended
// where the rest proves how.
#include <gtest/gtest.h>

#include "fs/acl.h"
#include "keeper/prune.h"
#include "keeper/test_check.h"
#include "keeper/test_damage.h"
#include "wire/tier_rows.h"

namespace nacre::keeper {
namespace {

struct CheckRows : ::testing::Test {
  CheckRows() {
    file = test.make_file("file");
    test.write(file, 0, TestVolume::noise(1, 40'000));
    first = test.commit();
  }
  // Another version of the file's first half.
  void rewrite() {
    test.write(file, 0, TestVolume::noise(2, 20'000));
    second = test.commit();
  }
  std::string past_extent_key() const { return wire::past_key(wire::extent_key(file, 0), second); }

  TestVolume test;
  Damage damage{test};
  InodeId file;
  Sequence first, second;
};

// --- content and attributes -------------------------------------------------------------------

TEST_F(CheckRows, AWrongCountOfAllocatedBytesIsCountedAgain) {
  damage.inode(file, [](auto& row) { row.allocated_bytes += 4096; });
  expect_mended(test, FindingKind::kAllocated);
}

TEST_F(CheckRows, OverlappingExtentsAreFound) {
  test.put_row(kv::Family::kLive, wire::extent_key(file, 100),
               wire::encode(wire::ExtentRow{first, wire::ExtentKind::kUnwritten, 50, {}, 0, {}}));
  expect_found(test, FindingKind::kExtentPlace);
}

TEST_F(CheckRows, AnExtentThatCrossesAWindowIsFound) {
  test.put_row(
      kv::Family::kLive, wire::extent_key(file, 60 * kKiB),
      wire::encode(wire::ExtentRow{first, wire::ExtentKind::kUnwritten, 10 * kKiB, {}, 0, {}}));
  expect_found(test, FindingKind::kExtentPlace);
}

TEST_F(CheckRows, ContentOfNoInodeIsRemovedAtTheNextOpen) {
  test.put_row(kv::Family::kLive, wire::extent_key({60}, 0),
               wire::encode(wire::ExtentRow{first, wire::ExtentKind::kUnwritten, 50, {}, 0, {}}));
  const Checked before = check(test);
  EXPECT_EQ(before.count(FindingKind::kExtentOwner), 1u) << before.text();
  (void)repair(test);
  test.reopen();
  test.commit();
  expect_clean(test);
  EXPECT_EQ(test.row(kv::Family::kLive, wire::extent_key({60}, 0)), "(no such row)");
}

TEST_F(CheckRows, AnExtentThatDoesNotDecodeIsFoundAndItsBlockKept) {
  test.put_row(kv::Family::kLive, wire::extent_key(file, 0), std::string("\1\0\0\0\0\0\0\0?", 9));
  expect_found(test, FindingKind::kUndecodable);
  (void)repair(test);
  EXPECT_EQ(test.blocks.count(), 1u);
  EXPECT_EQ(test.count(kv::Family::kBlocks, "o"), 1u);
}

TEST_F(CheckRows, AttributesOfNoInodeAreRemoved) {
  test.put_row(kv::Family::kLive, wire::xattr_key({60}, "user.a"),
               wire::encode(wire::XattrRow{first, "value"}));
  const Checked before = check(test);
  EXPECT_EQ(before.count(FindingKind::kExtentOwner), 1u);
  (void)repair(test);
  expect_clean(test);
}

TEST_F(CheckRows, AttributeFlagsFollowTheRows) {
  test.put_row(kv::Family::kLive, wire::xattr_key(file, "user.a"),
               wire::encode(wire::XattrRow{first, "value"}));
  const InodeId dir = test.make_directory("dir");
  test.commit();
  damage.inode(dir, [](auto& row) { row.flags = wire::kInodeHasDefaultAcl; });
  expect_mended(test, FindingKind::kAttributeFlag);
  EXPECT_EQ(must(test.tree->get_xattr(file, "user.a")), "value");
  test.make_file(dir, "works again");
}

TEST_F(CheckRows, AnAccessListThatDoesNotDecodeIsFound) {
  damage.inode(file, [](auto& row) { row.flags = wire::kInodeHasXattrs | wire::kInodeHasAcl; });
  test.put_row(kv::Family::kLive, wire::xattr_key(file, fs::kAccessAclName),
               wire::encode(wire::XattrRow{first, "rubbish"}));
  expect_found(test, FindingKind::kAcl);
}

// --- history and feed
// -------------------------------------------------------------------------------

TEST_F(CheckRows, APastRowThatDoesNotDecodeIsFoundAndKept) {
  rewrite();
  test.put_row(kv::Family::kPast, wire::past_key(wire::inode_key(file), second), "garbage");
  expect_found(test, FindingKind::kUndecodable);
  Pruner pruner(*test.volume);
  (void)must(prune(pruner, {UINT64_MAX}));
  EXPECT_EQ(test.row(kv::Family::kPast, wire::past_key(wire::inode_key(file), second)), "garbage");
}

TEST_F(CheckRows, PastRowsThatOverlapAreFound) {
  rewrite();
  auto row = must(wire::decode_extent(test.row(kv::Family::kPast, past_extent_key())));
  row.begin = second;
  test.put_row(kv::Family::kPast, past_extent_key(), wire::encode(row));
  expect_found(test, FindingKind::kHistoryOrder);
}

TEST_F(CheckRows, ALiveRowOlderThanItsPastIsFound) {
  rewrite();
  damage.extent(file, 0, [](auto& row) { row.begin = {1}; });
  expect_found(test, FindingKind::kHistoryOrder);
}

TEST_F(CheckRows, APastRowThatTheFeedDoesNotNameIsNamedAgainAndPruned) {
  rewrite();
  test.put_row(kv::Family::kChanges, wire::change_key(second, 0),
               wire::encode(wire::ChangeRow{test.volume->committed_time(), 0, {}}));
  expect_mended(test, FindingKind::kHistoryUnguarded);
  Pruner pruner(*test.volume);
  (void)must(prune(pruner, {UINT64_MAX}));
  EXPECT_EQ(test.count(kv::Family::kPast), 0u);
}

TEST_F(CheckRows, APastRowLeftBelowTheFloorGoesAfterRepair) {
  rewrite();
  const std::string key = wire::past_key(wire::inode_key(file), second);
  const std::string past = test.row(kv::Family::kPast, key);
  const std::string change = test.row(kv::Family::kChanges, wire::change_key(second, 0));
  test.make_file("later");
  test.commit();
  Pruner pruner(*test.volume);
  (void)must(prune(pruner, {UINT64_MAX}));
  test.put_row(kv::Family::kPast, key, past);
  test.put_row(kv::Family::kChanges, wire::change_key(second, 0), change);
  EXPECT_TRUE(check(test).only(FindingKind::kHistoryLeft));
  (void)repair(test);
  (void)must(prune(pruner, {UINT64_MAX}));
  EXPECT_EQ(test.count(kv::Family::kPast), 0u);
  expect_clean(test);
}

TEST_F(CheckRows, AGapInTheFeedIsFilled) {
  rewrite();
  test.make_file("later");
  test.commit();
  test.erase_row(kv::Family::kChanges, wire::change_key(second, 0));
  const Checked before = check(test);
  EXPECT_EQ(before.count(FindingKind::kFeed), 1u) << before.text();
  (void)repair(test);
  expect_clean(test);
}

TEST_F(CheckRows, AFeedEntryThatDoesNotDecodeIsMadeAnew) {
  rewrite();
  test.make_file("later");
  test.commit();
  test.put_row(kv::Family::kChanges, wire::change_key(second, 0), "garbage");
  const Checked before = check(test);
  EXPECT_EQ(before.count(FindingKind::kUndecodable), 1u) << before.text();
  (void)repair(test);
  expect_clean(test);
}

TEST_F(CheckRows, TimesThatGoBackAreFound) {
  rewrite();
  auto row = must(wire::decode_change(test.row(kv::Family::kChanges, wire::change_key(second, 0))));
  row.time = {5};
  test.put_row(kv::Family::kChanges, wire::change_key(second, 0), wire::encode(row));
  expect_found(test, FindingKind::kFeed);
}

TEST_F(CheckRows, ASnapshotOfTheFutureIsFound) {
  test.put_row(kv::Family::kVolume, wire::snapshot_key("s"),
               wire::encode(wire::SnapshotRow{{1'000}, {}}));
  expect_found(test, FindingKind::kState);
}

// --- the books
// ------------------------------------------------------------------------------------

TEST_F(CheckRows, CountersThatAreOffAreCountedAgain) {
  test.volume->change_state([](wire::StateRow& state) {
    state.inodes += 5;
    state.live_bytes += 1'000;
    state.next_inode = 2;
  });
  expect_mended(test, FindingKind::kCounter);
  EXPECT_EQ(test.volume->state().inodes, 2u);
  EXPECT_EQ(test.volume->state().live_bytes, 40'000u);
}

TEST_F(CheckRows, BlockCountsThatAreOffAreCountedAgain) {
  damage.block(damage.only_block(), [](auto& row) {
    row.references = 4;
    row.referenced_bytes = 1;
  });
  expect_mended(test, FindingKind::kBlockCounts);
}

TEST_F(CheckRows, AnAccountingRowThatIsMissingIsWrittenAnew) {
  const BlockId block = damage.only_block();
  test.erase_row(kv::Family::kBlocks, wire::block_key(block));
  expect_mended(test, FindingKind::kBlockCounts);
  EXPECT_TRUE(test.blocks.contains(block));
}

TEST_F(CheckRows, AnAccountingRowThatDoesNotDecodeIsWrittenAnew) {
  test.put_row(kv::Family::kBlocks, wire::block_key(damage.only_block()), "");
  const Checked before = check(test);
  EXPECT_EQ(before.count(FindingKind::kUndecodable), 1u) << before.text();
  (void)repair(test);
  expect_clean(test);
}

TEST_F(CheckRows, AnExtentWithoutItsOwnerRowGetsOne) {
  test.erase_row(kv::Family::kBlocks, damage.only_key(kv::Family::kBlocks, "o"));
  const Checked before = check(test);
  EXPECT_TRUE(before.only(FindingKind::kOwnerRow)) << before.text();
  (void)repair(test);
  expect_clean(test);
  EXPECT_EQ(test.read(file), TestVolume::noise(1, 40'000));
}

TEST_F(CheckRows, AnOwnerRowWithoutItsExtentGoes) {
  test.put_row(kv::Family::kBlocks, wire::owner_key(damage.only_block(), file, 0, {77}),
               wire::encode(wire::OwnerRow{0, 100}));
  expect_mended(test, FindingKind::kOwnerRow);
}

TEST_F(CheckRows, OwnerRowsOfPastExtentsAreMendedToo) {
  rewrite();
  const auto row = must(wire::decode_extent(test.row(kv::Family::kPast, past_extent_key())));
  test.erase_row(kv::Family::kBlocks, wire::owner_key(row.block, file, 0, row.begin));
  const Checked before = check(test);
  EXPECT_TRUE(before.only(FindingKind::kOwnerRow)) << before.text();
  (void)repair(test);
  expect_clean(test);
  EXPECT_EQ(test.read_past(first, file), TestVolume::noise(1, 40'000));
}

TEST_F(CheckRows, AnOwnerRowThatSaysOtherwiseThanItsExtentIsCorrected) {
  test.put_row(kv::Family::kBlocks, damage.only_key(kv::Family::kBlocks, "o"),
               wire::encode(wire::OwnerRow{5, 100}));
  (void)repair(test);
  expect_clean(test);
  EXPECT_EQ(test.read(file), TestVolume::noise(1, 40'000));
}

// --- blocks
// -----------------------------------------------------------------------------------------

TEST_F(CheckRows, AMissingBlockIsFoundWithTheFilesItHeld) {
  must(test.blocks.remove(damage.only_block()));
  expect_found(test, FindingKind::kBlockMissing);
  EXPECT_NE(check(test).text().find("/file"), std::string::npos);
}

TEST_F(CheckRows, ABlockShorterThanItsRowsIsFound) {
  const BlockId block = damage.only_block();
  must(test.blocks.remove(block));
  const ByteView part = as_bytes("short");
  must(test.blocks.put(block, std::span(&part, 1)));
  expect_found(test, FindingKind::kBlockMissing);
}

TEST_F(CheckRows, ABlockThatNobodyOwnsIsRemoved) {
  const ByteView part = as_bytes("nobody's");
  must(test.blocks.put({7, 7}, std::span(&part, 1)));
  expect_mended(test, FindingKind::kBlockUnowned);
  EXPECT_FALSE(test.blocks.contains({7, 7}));
}

TEST_F(CheckRows, ANeededBlockThatIsDownToBeRemovedStays) {
  test.put_row(kv::Family::kBlocks, wire::doomed_key(damage.only_block()), "");
  expect_mended(test, FindingKind::kBlockCounts);
  EXPECT_EQ(test.read(file), TestVolume::noise(1, 40'000));
}

TEST_F(CheckRows, DoomedRowsOfBlocksThatAreGoneAreClearedWithoutAWord) {
  test.put_row(kv::Family::kBlocks, wire::doomed_key({7, 7}), "");
  EXPECT_TRUE(repair(test).findings.empty());
  EXPECT_EQ(test.count(kv::Family::kBlocks, "q"), 0u);
}

TEST_F(CheckRows, RottenBytesAreFoundWhenTheCheckIsDeep) {
  test.blocks.rot(damage.only_block());
  EXPECT_TRUE(check(test).summary.clean());
  const Checked deep = check_deep(test);
  EXPECT_TRUE(deep.only(FindingKind::kBlockDamaged)) << deep.text();
  EXPECT_EQ(deep.findings.size(), 1u);
  EXPECT_NE(deep.text().find("/file"), std::string::npos);
}

// Where blocks of a volume with a bucket lie.
TEST_F(CheckRows, PacksHoldWhatTheirRowsSay) {
  const BlockId block = damage.only_block();
  const wire::PackId pack{3, 4};
  const wire::PackedBlock packed{
      .id = block, .offset_bytes = 64, .logical_bytes = 65536, .unit_bytes = {65544}};
  test.put_row(kv::Family::kBlocks, wire::location_key(block),
               wire::encode_location({pack, packed}));
  test.put_row(kv::Family::kBlocks, wire::pack_member_key(pack, 64), wire::encode_member(block));
  EXPECT_EQ(check(test).count(FindingKind::kPack), 1u);  // without a row
  wire::PackRow row{.object_bytes = 70'000, .live_bytes = 65544, .blocks = 1};
  test.put_row(kv::Family::kBlocks, wire::pack_key(pack), wire::encode(row));
  test.put_row(kv::Family::kBlocks, wire::dead_pack_key({5, 6}),
               wire::encode(wire::DeadPackRow{7}));
  expect_clean(test);
  row.live_bytes = 1;
  test.put_row(kv::Family::kBlocks, wire::pack_key(pack), wire::encode(row));
  EXPECT_EQ(check(test).count(FindingKind::kPack), 1u);
  test.put_row(kv::Family::kBlocks, wire::location_key(block), "rubbish");
  EXPECT_GE(check(test).count(FindingKind::kUndecodable), 1u);
}

}  // namespace
}  // namespace nacre::keeper
