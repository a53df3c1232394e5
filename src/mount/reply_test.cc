#include "mount/reply.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cstring>
#include <string>

namespace nacre::mount {
namespace {

meta::Attr some_attr() {
  meta::Attr attr;
  attr.ino = InodeId{0x1122};
  attr.type = meta::FileType::kRegular;
  attr.mode = 04755;
  attr.uid = 1;
  attr.gid = 2;
  attr.nlink = 3;
  attr.size = 5000;
  attr.allocated_bytes = 8193;
  attr.atime = {1'500'000'000};
  attr.mtime = {-1};
  attr.ctime = {-2'500'000'000};
  attr.btime = {7};
  return attr;
}

TEST(Reply, AttributesAreThoseOfStat) {
  const fuse_attr wire = wire_attr(some_attr());
  EXPECT_EQ(wire.ino, 0x1122u);
  EXPECT_EQ(wire.mode, uint32_t{S_IFREG} | 04755);
  EXPECT_EQ(wire.size, 5000u);
  EXPECT_EQ(wire.blocks, 17u) << "of 512 bytes, rounded up";
  EXPECT_EQ(wire.atime, 1u);
  EXPECT_EQ(wire.atimensec, 500'000'000u);
}

TEST(Reply, TimesBefore1970CountNanosecondsForward) {
  const fuse_attr wire = wire_attr(some_attr());
  EXPECT_EQ(static_cast<int64_t>(wire.mtime), -1);
  EXPECT_EQ(wire.mtimensec, 999'999'999u);
  EXPECT_EQ(static_cast<int64_t>(wire.ctime), -3);
  EXPECT_EQ(wire.ctimensec, 500'000'000u);
}

TEST(Reply, StatxKnowsTheTimeOfBirth) {
  meta::Attr attr = some_attr();
  attr.type = meta::FileType::kBlockDevice;
  attr.rdev = makedev(259, 70000);
  const abi::StatxOut out = statx_out(attr, Keep::kAlways);
  EXPECT_EQ(out.stat.mask, unsigned{STATX_BASIC_STATS | STATX_BTIME});
  EXPECT_EQ(out.stat.btime.nanoseconds, 7u);
  EXPECT_EQ(out.stat.mtime.seconds, -1);
  EXPECT_EQ(out.stat.rdev_major, 259u);
  EXPECT_EQ(out.stat.rdev_minor, 70000u);
  EXPECT_EQ(wire_attr(attr).rdev, attr.rdev);
}

TEST(Reply, WhatMustNotBeKeptExpiresAtOnce) {
  EXPECT_GT(entry_out(some_attr(), Keep::kAlways).entry_valid, 1'000'000u);
  EXPECT_GT(entry_out(some_attr(), Keep::kAlways).attr_valid, 1'000'000u);
  EXPECT_EQ(entry_out(some_attr(), Keep::kNothing).entry_valid, 0u);
  EXPECT_EQ(entry_out(some_attr(), Keep::kNothing).attr_valid, 0u);
  EXPECT_EQ(attr_out(some_attr(), Keep::kNothing).attr_valid, 0u);
}

TEST(Reply, AMissingNameIsAnEntryWithoutANode) {
  EXPECT_EQ(missing_entry_out().nodeid, 0u);
  EXPECT_GT(missing_entry_out().entry_valid, 1'000'000u);
}

TEST(Reply, DirectoryEntriesArePackedToEightBytes) {
  std::array<std::byte, 80> room;
  room.fill(std::byte{0xee});
  DirectoryPacker packer(room, false, Keep::kAlways);
  EXPECT_TRUE(packer.add({"abc", InodeId{0x0102}, meta::FileType::kDirectory, 0x99, nullptr}));
  EXPECT_TRUE(packer.add({"12345678", InodeId{3}, meta::FileType::kSymlink, 0x100, nullptr}));
  const std::string golden(
      "\x02\x01\0\0\0\0\0\0"
      "\x99\0\0\0\0\0\0\0"
      "\x03\0\0\0\x04\0\0\0"
      "abc\0\0\0\0\0"
      "\x03\0\0\0\0\0\0\0"
      "\0\x01\0\0\0\0\0\0"
      "\x08\0\0\0\x0a\0\0\0"
      "12345678",
      64);
  EXPECT_EQ(as_text(packer.packed()), golden);
  EXPECT_FALSE(packer.add({"x", InodeId{4}, meta::FileType::kRegular, 0x101, nullptr}))
      << "16 bytes are left";
  EXPECT_EQ(packer.packed().size(), 64u);
}

TEST(Reply, EntriesWithAttributesCarryANodeAndOthersNone) {
  std::array<std::byte, 512> room;
  DirectoryPacker packer(room, true, Keep::kAlways);
  const meta::Attr attr = some_attr();
  EXPECT_TRUE(packer.add({".", InodeId{1}, meta::FileType::kDirectory, 1, nullptr}));
  EXPECT_TRUE(packer.add({"file", attr.ino, attr.type, 3, &attr}));
  ASSERT_EQ(packer.packed().size(), 2 * 160u);
  fuse_entry_out first, second;
  std::memcpy(&first, packer.packed().data(), sizeof(first));
  std::memcpy(&second, packer.packed().data() + 160, sizeof(second));
  EXPECT_EQ(first.nodeid, 0u);
  EXPECT_EQ(first.entry_valid, 0u);
  EXPECT_EQ(second.nodeid, 0x1122u);
  EXPECT_EQ(second.attr.size, 5000u);
}

}  // namespace
}  // namespace nacre::mount
