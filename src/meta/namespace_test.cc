#include "meta/namespace.h"

#include <gtest/gtest.h>

#include "kv/memory_store.h"

namespace nacre::meta {
namespace {

constexpr NameKey kKey = {};

class NamespaceTest : public testing::Test {
 protected:
  NamespaceTest() { names_.make_root(0, 0, 0755); }

  InodeId make(InodeId parent, std::string_view name, FileType type = FileType::kRegular) {
    NewInode node;
    node.type = type;
    node.mode = 0644;
    return names_.make(parent, name, node).take().ino;
  }
  // Another name at the next slot of `name`'s hash, as if their hashes were the same.
  void collide(std::string_view name, unsigned slot, std::string_view other) {
    const wire::DentryRow row{{}, InodeId{100 + slot}, 1, std::string(other)};
    rows_.put(wire::dentry_key(kRootInode, cookie_of(kKey, name) + slot), wire::encode(row),
              std::nullopt);
  }
  std::string listing() {
    std::string text;
    EXPECT_TRUE(visit_directory(rows_, kRootInode, 2, [&](const Dentry& dentry) {
                  text += dentry.row.name + "+" +
                          std::to_string(dentry.cookie % wire::kCookieSlots) + " ";
                  return true;
                }).ok());
    return text;
  }
  wire::InodeRow row(InodeId ino) { return load_inode(rows_, ino)->row; }

  kv::MemoryStore store_;
  RowTable rows_{store_, Sequence{0}};
  wire::StateRow state_;
  os::ManualClock clock_;
  os::SeededRandom random_{1};
  Namespace names_{rows_, kKey, state_, clock_, random_};
};

TEST_F(NamespaceTest, NamesOfOneHashTakeTheSlotsInTurn) {
  collide("b", 0, "other");
  make(kRootInode, "b");
  EXPECT_EQ(listing(), "other+0 b+1 ");
  EXPECT_TRUE(names_.lookup(kRootInode, "b").ok());
}

TEST_F(NamespaceTest, TheNinthNameOfOneHashIsRefused) {
  for (unsigned slot = 0; slot < wire::kCookieSlots; ++slot) {
    collide("b", slot, "other" + std::to_string(slot));
  }
  EXPECT_EQ(names_.make(kRootInode, "b", {}).code(), Code::kNoSpace);
  const InodeId a = make(kRootInode, "a");
  EXPECT_EQ(names_.link(a, kRootInode, "b").code(), Code::kNoSpace);
  EXPECT_EQ(names_.rename(kRootInode, "a", kRootInode, "b", RenameKind::kReplace).code(),
            Code::kNoSpace);
  EXPECT_EQ(names_.lookup(kRootInode, "a")->ino, a);
}

TEST_F(NamespaceTest, ARemovedNameLeavesNoGapAmongThoseOfItsHash) {
  make(kRootInode, "b");
  collide("b", 1, "second");
  collide("b", 2, "third");
  ASSERT_TRUE(names_.unlink(kRootInode, "b").ok());
  EXPECT_EQ(listing(), "third+0 second+1 ");
}

TEST_F(NamespaceTest, TheLastNameOfAHashLeavesWithoutMovingOthers) {
  collide("b", 0, "first");
  make(kRootInode, "b");
  ASSERT_TRUE(names_.unlink(kRootInode, "b").ok());
  EXPECT_EQ(listing(), "first+0 ");
}

TEST_F(NamespaceTest, AFailedOperationLeavesNoTrace) {
  const InodeId directory = make(kRootInode, "d", FileType::kDirectory);
  make(directory, "x");
  make(kRootInode, "f");
  const auto group = rows_.cut();
  rows_.retire();
  kv::Batch batch;
  for (const auto& [key, pending] : group->rows) batch.put(kv::Family::kLive, key, *pending.value);
  ASSERT_TRUE(store_.write(batch, kv::Durability::kSynced).ok());

  EXPECT_EQ(names_.make(kRootInode, "f", {}).code(), Code::kExists);
  EXPECT_EQ(names_.make(kRootInode, "a/b", {}).code(), Code::kInvalid);
  const std::string too_long(256, 'x');
  EXPECT_EQ(names_.make(kRootInode, too_long, {}).code(), Code::kNameTooLong);
  EXPECT_EQ(names_.lookup(kRootInode, too_long).code(), Code::kNameTooLong);
  EXPECT_EQ(names_.unlink(kRootInode, too_long).code(), Code::kNameTooLong);
  EXPECT_EQ(names_.remove_directory(kRootInode, too_long).code(), Code::kNameTooLong);
  EXPECT_EQ(names_.rename(kRootInode, too_long, kRootInode, "y", RenameKind::kReplace).code(),
            Code::kNameTooLong);
  EXPECT_EQ(names_.unlink(kRootInode, "d").code(), Code::kIsDirectory);
  EXPECT_EQ(names_.remove_directory(kRootInode, "d").code(), Code::kNotEmpty);
  EXPECT_EQ(names_.remove_directory(kRootInode, "f").code(), Code::kNotDirectory);
  EXPECT_EQ(names_.rename(kRootInode, "d", directory, "d", RenameKind::kReplace).code(),
            Code::kLoop);
  EXPECT_EQ(names_.rename(kRootInode, "f", kRootInode, "d", RenameKind::kReplace).code(),
            Code::kIsDirectory);
  EXPECT_EQ(names_.rename(kRootInode, "f", kRootInode, "d", RenameKind::kNoReplace).code(),
            Code::kExists);
  EXPECT_EQ(names_.rename(kRootInode, "f", kRootInode, "z", RenameKind::kExchange).code(),
            Code::kNotFound);
  EXPECT_EQ(names_.link(directory, kRootInode, "z").code(), Code::kNotPermitted);
  EXPECT_TRUE(rows_.active_empty());
}

TEST_F(NamespaceTest, AnExchangeOfADirectoryAndAFileMovesTheLinkCounts) {
  const InodeId one = make(kRootInode, "one", FileType::kDirectory);
  const InodeId two = make(kRootInode, "two", FileType::kDirectory);
  const InodeId inner = make(one, "d", FileType::kDirectory);
  make(two, "f");
  ASSERT_TRUE(names_.rename(one, "d", two, "f", RenameKind::kExchange).ok());
  EXPECT_EQ(row(one).nlink, 2u);
  EXPECT_EQ(row(two).nlink, 3u);
  EXPECT_EQ(row(inner).parent, two);
}

TEST_F(NamespaceTest, NothingIsMadeInARemovedDirectory) {
  const InodeId directory = make(kRootInode, "d", FileType::kDirectory);
  const InodeId file = make(kRootInode, "f");
  ASSERT_TRUE(names_.remove_directory(kRootInode, "d").ok());
  EXPECT_EQ(names_.make(directory, "x", {}).code(), Code::kNotFound);
  EXPECT_EQ(names_.link(file, directory, "x").code(), Code::kNotFound);
  EXPECT_EQ(names_.rename(kRootInode, "f", directory, "x", RenameKind::kReplace).code(),
            Code::kNotFound);
}

TEST_F(NamespaceTest, AFileWithoutANameGetsNoNewOne) {
  const InodeId file = make(kRootInode, "f");
  EXPECT_TRUE(names_.unlink(kRootInode, "f")->last);
  EXPECT_EQ(names_.link(file, kRootInode, "g").code(), Code::kNotFound);
}

TEST_F(NamespaceTest, ADroppedInodeTakesItsAttributesAlong) {
  const InodeId file = make(kRootInode, "f");
  ASSERT_TRUE(names_.set_xattr(file, "user.a", "1", false, false).ok());
  ASSERT_TRUE(names_.unlink(kRootInode, "f").ok());
  ASSERT_TRUE(names_.drop(file).ok());
  EXPECT_EQ(load_inode(rows_, file).code(), Code::kNotFound);
  EXPECT_FALSE(load_xattr(rows_, file, "user.a")->has_value());
  EXPECT_EQ(state_.inodes, 1u);
}

TEST_F(NamespaceTest, TimesThatTheKernelKeepsAreNotedQuietly) {
  const InodeId file = make(kRootInode, "f");
  const auto group = rows_.cut();
  rows_.retire();
  kv::Batch batch;
  for (const auto& [key, pending] : group->rows) batch.put(kv::Family::kLive, key, *pending.value);
  ASSERT_TRUE(store_.write(batch, kv::Durability::kSynced).ok());
  SetAttr change;
  change.atime = Timestamp{5};
  change.ctime = Timestamp{6};
  ASSERT_TRUE(names_.set_attributes(file, change).ok());
  EXPECT_FALSE(rows_.cut()->rows.at(wire::inode_key(file)).history);
  EXPECT_EQ(row(file).ctime, Timestamp{6});
}

}  // namespace
}  // namespace nacre::meta
