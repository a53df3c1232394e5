// Damage to inodes, names and the tree: each kind is found, and mended where the rest proves how.
#include <gtest/gtest.h>

#include "keeper/test_check.h"
#include "keeper/test_damage.h"

namespace nacre::keeper {
namespace {

struct CheckNames : ::testing::Test {
  CheckNames() {
    dir = test.make_directory("dir");
    sub = test.make_directory(dir, "sub");
    file = test.make_file(dir, "file");
    test.write(file, 0, "content");
    gone = test.make_directory("gone");
    must(test.tree->remove_directory(kRootInode, "gone"));
    test.commit();
  }
  TestVolume test;
  Damage damage{test};
  InodeId dir, sub, file;
  InodeId gone;  // a directory that was removed
};

TEST_F(CheckNames, ANameOfNoInodeIsRemoved) {
  damage.add_name(dir, damage.cookie("ghost"), "ghost", gone, meta::FileType::kRegular);
  damage.inode(dir, [](auto& row) { ++row.size; });
  const Checked before = check(test);
  EXPECT_EQ(before.count(FindingKind::kNameTarget), 1u) << before.text();
  EXPECT_EQ(repair(test).summary.repaired, before.findings.size());
  expect_clean(test);
  EXPECT_EQ(test.tree->lookup(dir, "ghost").code(), Code::kNotFound);
}

TEST_F(CheckNames, TheInodeCounterIsTakenPastWhateverIsNamed) {
  damage.add_name(dir, damage.cookie("ghost"), "ghost", {999}, meta::FileType::kRegular);
  EXPECT_EQ(check(test).count(FindingKind::kCounter), 1u);
  (void)repair(test);
  expect_clean(test);
  EXPECT_EQ(test.make_file("next").value, 1000u);
}

TEST_F(CheckNames, ANameInWhatIsNoDirectoryIsRemoved) {
  damage.add_name(file, damage.cookie("inside"), "inside", file, meta::FileType::kRegular);
  expect_mended(test, FindingKind::kNamePlace);
}

TEST_F(CheckNames, ANameInADirectoryThatDoesNotExistIsRemoved) {
  damage.add_name(gone, damage.cookie("inside"), "inside", file, meta::FileType::kRegular);
  expect_mended(test, FindingKind::kNamePlace);
}

TEST_F(CheckNames, ANameThatNoSearchFindsGoesWhereItBelongs) {
  damage.move_name(dir, "file", damage.cookie("elsewhere"));
  EXPECT_EQ(test.tree->lookup(dir, "file").code(), Code::kNotFound);
  expect_mended(test, FindingKind::kNamePlace);
  EXPECT_EQ(test.find("file", dir), file);
}

TEST_F(CheckNames, ANameBehindAGapMovesUp) {
  damage.move_name(dir, "file", damage.cookie("file") + 3);
  expect_mended(test, FindingKind::kNamePlace);
  EXPECT_EQ(test.find("file", dir), file);
}

TEST_F(CheckNames, OfTwoEqualNamesTheSecondIsRemovedAndItsInodeKept) {
  const InodeId other = test.make_file("other");
  test.commit();
  damage.erase_name(kRootInode, "other");
  damage.inode(kRootInode, [](auto& row) { --row.size; });
  damage.add_name(dir, damage.cookie("file") + 1, "file", other, meta::FileType::kRegular);
  const Checked before = check(test);
  EXPECT_EQ(before.count(FindingKind::kNamePlace), 1u) << before.text();
  (void)repair(test);
  expect_clean(test);
  EXPECT_EQ(test.find("file", dir), file);
  const InodeId lost = test.find("lost+found");
  EXPECT_EQ(test.find("#" + std::to_string(other.value), lost), other);
}

TEST_F(CheckNames, AWrongTypeInANameIsCorrected) {
  damage.erase_name(dir, "file");
  damage.add_name(dir, damage.cookie("file"), "file", file, meta::FileType::kSymlink);
  expect_mended(test, FindingKind::kNameType);
}

TEST_F(CheckNames, ANameThatDoesNotDecodeIsRemovedAndItsInodeKept) {
  test.put_row(kv::Family::kLive, wire::dentry_key(dir, damage.cookie("file")), "garbage");
  const Checked before = check(test);
  EXPECT_EQ(before.count(FindingKind::kUndecodable), 1u);
  EXPECT_EQ(before.count(FindingKind::kUnreachable), 1u);
  (void)repair(test);
  expect_clean(test);
  const InodeId lost = test.find("lost+found");
  EXPECT_EQ(test.read(test.find("#" + std::to_string(file.value), lost)), "content");
}

TEST_F(CheckNames, AFileWithoutANameComesBackInLostAndFound) {
  damage.erase_name(dir, "file");
  const Checked before = check(test);
  EXPECT_EQ(before.count(FindingKind::kUnreachable), 1u) << before.text();
  EXPECT_EQ(before.count(FindingKind::kDirectorySize), 1u) << before.text();
  (void)repair(test);
  expect_clean(test);
  const InodeId lost = test.find("lost+found");
  EXPECT_EQ(test.read(test.find("#" + std::to_string(file.value), lost)), "content");
}

TEST_F(CheckNames, ADirectoryWithoutANameComesBackWithAllItHolds) {
  damage.erase_name(kRootInode, "dir");
  (void)repair(test);
  expect_clean(test);
  const InodeId lost = test.find("lost+found");
  const InodeId back = test.find("#" + std::to_string(dir.value), lost);
  EXPECT_EQ(back, dir);
  EXPECT_EQ(test.read(test.find("file", back)), "content");
  test.reopen();
  expect_clean(test);
}

TEST_F(CheckNames, ALoopOfDirectoriesIsCutAndComesBack) {
  // dir/sub becomes the parent of dir.
  damage.erase_name(kRootInode, "dir");
  damage.add_name(sub, damage.cookie("dir"), "dir", dir, meta::FileType::kDirectory);
  damage.inode(kRootInode, [](auto& row) {
    --row.size;
    --row.nlink;
  });
  damage.inode(sub, [](auto& row) {
    ++row.size;
    ++row.nlink;
  });
  damage.inode(dir, [&](auto& row) { row.parent = sub; });
  const Checked before = check(test);
  EXPECT_EQ(before.count(FindingKind::kDirectoryLoop), 1u) << before.text();
  (void)repair(test);
  expect_clean(test);
  const InodeId lost = test.find("lost+found");
  EXPECT_TRUE(test.image(test.volume->committed()).size() >= 5u);
  EXPECT_TRUE(test.tree->lookup(lost, "#" + std::to_string(dir.value)).ok() ||
              test.tree->lookup(lost, "#" + std::to_string(sub.value)).ok());
}

TEST_F(CheckNames, ADirectoryWithTwoNamesKeepsTheOneItPointsBackTo) {
  damage.add_name(kRootInode, damage.cookie("again"), "again", sub, meta::FileType::kDirectory);
  const Checked before = check(test);
  EXPECT_TRUE(before.only(FindingKind::kLinkCount)) << before.text();
  (void)repair(test);
  expect_clean(test);
  EXPECT_EQ(test.find("sub", dir), sub);
  EXPECT_EQ(test.tree->lookup(kRootInode, "again").code(), Code::kNotFound);
}

TEST_F(CheckNames, WrongLinkCountsAreCountedAgain) {
  damage.inode(file, [](auto& row) { row.nlink = 7; });
  damage.inode(dir, [](auto& row) { row.nlink = 2; });
  expect_mended(test, FindingKind::kLinkCount);
}

TEST_F(CheckNames, AWrongParentPointerIsCorrected) {
  damage.inode(sub, [](auto& row) { row.parent = kRootInode; });
  expect_mended(test, FindingKind::kParentPointer);
}

TEST_F(CheckNames, AWrongDirectorySizeIsCountedAgain) {
  damage.inode(dir, [](auto& row) { row.size = 77; });
  expect_mended(test, FindingKind::kDirectorySize);
}

TEST_F(CheckNames, AWrongSizeOfASymlinkIsCorrected) {
  const InodeId link = test.settle(
      must(test.tree->make_node({}, dir, "link", {meta::FileType::kSymlink, 0777, 0, "target"})));
  test.commit();
  damage.inode(link, [](auto& row) { row.size = 3; });
  expect_mended(test, FindingKind::kInode);
}

TEST_F(CheckNames, AnInodeThatDoesNotDecodeIsFoundAndLeft) {
  test.put_row(kv::Family::kLive, wire::inode_key(file), "garbage");
  expect_found(test, FindingKind::kUndecodable);
  (void)repair(test);
  EXPECT_EQ(test.row(kv::Family::kLive, wire::inode_key(file)), "garbage");
}

TEST_F(CheckNames, AKeyThatDoesNotDecodeIsFound) {
  test.put_row(kv::Family::kLive, "zebra", "value");
  test.put_row(kv::Family::kLive, "d-short", "value");
  EXPECT_EQ(check(test).count(FindingKind::kUndecodable), 2u);
}

TEST_F(CheckNames, ARowOfACommitThatNeverWasIsFound) {
  damage.inode(file, [](auto& row) { row.begin = {1'000'000}; });
  expect_found(test, FindingKind::kFutureRow);
}

TEST_F(CheckNames, AnUnlinkedInodeThatNothingRemovesGoes) {
  damage.erase_name(dir, "file");
  damage.inode(file, [](auto& row) { row.nlink = 0; });
  damage.inode(dir, [](auto& row) { --row.size; });
  const Checked before = check(test);
  EXPECT_TRUE(before.only(FindingKind::kOrphan)) << before.text();
  (void)repair(test);
  expect_clean(test);
  test.reopen();
  test.commit();
  expect_clean(test);
  EXPECT_EQ(test.row(kv::Family::kLive, wire::inode_key(file)), "(no such row)");
}

TEST_F(CheckNames, AFileInTheTreeIsNotRemovedForAnOrphanRow) {
  test.put_row(kv::Family::kVolume, wire::orphan_key(file), "");
  expect_mended(test, FindingKind::kOrphan);
  EXPECT_EQ(test.read(test.find("file", dir)), "content");
}

TEST_F(CheckNames, FindingsSayWhichPath) {
  damage.inode(file, [](auto& row) { row.nlink = 7; });
  const Checked checked = check(test);
  ASSERT_EQ(checked.findings.size(), 1u);
  EXPECT_NE(checked.findings[0].where.find("/dir/file"), std::string::npos);
}

}  // namespace
}  // namespace nacre::keeper
