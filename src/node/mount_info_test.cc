#include "node/mount_info.h"

#include <gtest/gtest.h>

namespace nacre::node {
namespace {

constexpr std::string_view kTable =
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
    "23 22 0:21 / /proc rw,nosuid - proc proc rw\n"
    "90 22 0:53 / /home/ann/na\\040cre rw,nosuid,nodev shared:5 master:2 - fuse.nacre "
    "/srv/my\\134vol\\012ume rw,user_id=0\n"
    "91 90 0:53 /docs/2026 /bound ro,nosuid - fuse.nacre /srv/v rw\n"
    "92 22 0:60 / /home tmpfs\n"
    "93 22 0:61 / /home/ann rw - tmpfs none rw\n"
    "94 22 0:62 / /home/ann rw - fuse.nacre /srv/w rw\n";

TEST(MountTable, GivesEachMountWithItsNamesAsTheyAre) {
  const auto table = parse_mount_table(kTable);
  ASSERT_EQ(table.size(), 6u);
  EXPECT_EQ(table[2].mountpoint, "/home/ann/na cre");
  EXPECT_EQ(table[2].source, "/srv/my\\vol\nume");
  EXPECT_EQ(table[2].type, kMountType);
  EXPECT_EQ(table[2].device, "0:53");
  EXPECT_FALSE(table[2].read_only);
  EXPECT_EQ(table[3].root, "/docs/2026");
  EXPECT_TRUE(table[3].read_only);
}

TEST(MountTable, FindsTheInnermostAndTheLatestMountOfAPath) {
  const auto table = parse_mount_table(kTable);
  EXPECT_EQ(mount_of(table, "/home/ann/na cre/a/b")->source, "/srv/my\\vol\nume");
  EXPECT_EQ(mount_of(table, "/home/ann/na crement")->source, "/srv/w");
  EXPECT_EQ(mount_of(table, "/home/ann")->source, "/srv/w");
  EXPECT_EQ(mount_of(table, "/etc")->source, "/dev/vda");
  EXPECT_EQ(mount_of({}, "/etc"), std::nullopt);
}

TEST(MountTable, LeavesOutLinesOfAnotherForm) {
  EXPECT_TRUE(parse_mount_table("").empty());
  EXPECT_TRUE(parse_mount_table("- - - -\n\n1 2 3 4 5 6 -\n").empty());
}

TEST(MountTable, OfThisMachineHasARoot) {
  const auto table = read_mount_table();
  ASSERT_TRUE(table.ok());
  EXPECT_TRUE(mount_of(*table, "/").has_value());
}

TEST(Paths, AreBelowADirectoryOrNot) {
  EXPECT_TRUE(is_below("/a/b", "/a"));
  EXPECT_TRUE(is_below("/a", "/a"));
  EXPECT_TRUE(is_below("/a", "/"));
  EXPECT_FALSE(is_below("/ab", "/a"));
  EXPECT_FALSE(is_below("/", "/a"));
}

}  // namespace
}  // namespace nacre::node
