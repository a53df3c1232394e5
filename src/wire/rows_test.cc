#include "wire/rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace nacre::wire {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

InodeRow some_inode() {
  InodeRow row;
  row.begin = {7};
  row.type = 3;
  row.flags = kInodeHasXattrs;
  row.mode = 0777;
  row.uid = 1000;
  row.gid = 100;
  row.nlink = 2;
  row.rdev = 0;
  row.size = 6;
  row.allocated_bytes = 4096;
  row.atime = {1};
  row.mtime = {-1};
  row.ctime = {256};
  row.btime = {0};
  row.birth = {0x0102030405060708, 0x090a0b0c0d0e0f10};
  row.content = {7};
  row.parent = {1};
  row.target = "target";
  return row;
}

TEST(Rows, KeysAreTheBytesTheFormatPageGives) {
  EXPECT_EQ(hex(inode_key({1})),
            "69"
            "0000000000000001");
  EXPECT_EQ(hex(dentry_key({1}, 0x10)),
            "64"
            "0000000000000001"
            "0000000000000010");
  EXPECT_EQ(hex(extent_key({2}, 4096)),
            "65"
            "0000000000000002"
            "0000000000001000");
  EXPECT_EQ(hex(xattr_key({2}, "user.a")),
            "78"
            "0000000000000002"
            "757365722e61"
            "00");
  EXPECT_EQ(hex(past_key(inode_key({1}), {9})),
            "69"
            "0000000000000001"
            "0000000000000009");
  EXPECT_EQ(hex(change_key({3}, 1)),
            "63"
            "0000000000000003"
            "0000000000000001");
  EXPECT_EQ(hex(block_key({1, 2})),
            "62"
            "0000000000000001"
            "0000000000000002");
  EXPECT_EQ(hex(owner_key({1, 2}, {3}, 4, {5})),
            "6f"
            "0000000000000001"
            "0000000000000002"
            "0000000000000003"
            "0000000000000004"
            "0000000000000005");
  EXPECT_EQ(hex(orphan_key({3})),
            "75"
            "0000000000000003");
}

TEST(Rows, ValuesAreTheBytesTheFormatPageGives) {
  EXPECT_EQ(hex(encode(some_inode())),
            "0700000000000000"
            "03"
            "01"
            "ff03"
            "e807"
            "64"
            "02"
            "00"
            "06"
            "8020"
            "0100000000000000"
            "ffffffffffffffff"
            "0001000000000000"
            "0000000000000000"
            "0102030405060708090a0b0c0d0e0f10"
            "07"
            "01"
            "06746172676574");
  EXPECT_EQ(hex(encode(DentryRow{{2}, {300}, 1, "name"})),
            "0200000000000000"
            "ac02"
            "01"
            "6e616d65");
  EXPECT_EQ(hex(encode(ExtentRow{{2}, ExtentKind::kBlock, 4096, {1, 2}, 512, {}})),
            "0200000000000000"
            "01"
            "8020"
            "00000000000000010000000000000002"
            "8004");
  EXPECT_EQ(hex(encode(ExtentRow{{2}, ExtentKind::kInline, 2, {}, 0, "hi"})),
            "0200000000000000"
            "02"
            "02"
            "6869");
  EXPECT_EQ(hex(encode(ExtentRow{{2}, ExtentKind::kUnwritten, 1, {}, 0, {}})),
            "0200000000000000"
            "03"
            "01");
  EXPECT_EQ(hex(encode(XattrRow{{2}, "v"})),
            "0200000000000000"
            "76");
  EXPECT_EQ(hex(encode(ChangeRow{{5}, 1, {"ab"}})),
            "0500000000000000"
            "01"
            "01"
            "026162");
  EXPECT_EQ(hex(encode(BlockRow{1, 2, 3})), "010203");
  EXPECT_EQ(hex(encode(OwnerRow{1, 2})), "0102");
  EXPECT_EQ(hex(encode(MarkRow{{300}})), "ac02");
  EXPECT_EQ(hex(encode(SnapshotRow{{1}, {2}})),
            "01"
            "0200000000000000");
}

TEST(Rows, WhatIsEncodedDecodesToTheSame) {
  const std::string value = encode(some_inode());
  const auto row = decode_inode(value);
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->target, "target");
  EXPECT_EQ(row->mtime.ns, -1);
  EXPECT_EQ(encode(*row), value);

  const std::string key = xattr_key({2}, "user.a");
  const auto live = decode_live_key(key);
  ASSERT_TRUE(live.ok());
  EXPECT_EQ(live->kind, RowKind::kXattr);
  EXPECT_EQ(live->name, "user.a");
}

TEST(Rows, NoKeyIsThePrefixOfAnother) {
  const std::string shorter = xattr_key({2}, "user.a");
  const std::string longer = xattr_key({2}, "user.ab");
  EXPECT_FALSE(longer.starts_with(shorter));
}

TEST(Rows, EveryTruncationOfARowIsCorruptOrShorterText) {
  const std::string value = encode(some_inode());
  for (size_t length = 0; length < value.size(); ++length) {
    const auto row = decode_inode(std::string_view(value).substr(0, length));
    ASSERT_FALSE(row.ok()) << length;
    EXPECT_EQ(row.code(), Code::kCorrupt);
  }
}

TEST(Rows, AStateRowOfALaterVersionIsRefusedAsNewer) {
  std::string value = encode(StateRow{});
  value[0] = 3;
  EXPECT_EQ(decode_state(value).code(), Code::kNewerFormat);
}

TEST(Rows, ThePastBeginsWhereALiveValueSaysItBegan) {
  std::string value = encode(DentryRow{{2}, {300}, 1, "name"});
  EXPECT_EQ(begin_of(value)->value, 2u);
  set_begin(value, {9});
  EXPECT_EQ(decode_dentry(value)->begin.value, 9u);
}

}  // namespace
}  // namespace nacre::wire
