#include "cli/mount_words.h"

#include <gtest/gtest.h>

namespace nacre::cli {
namespace {

TEST(MountWords, AreSplitBetweenUsAndTheShell) {
  const auto words = parse_mount_words({"rw,noatime", "at=2 hours ago,allow_other"});
  ASSERT_TRUE(words.ok());
  EXPECT_EQ(words->options, "rw,noatime,allow_other");
  EXPECT_EQ(words->at, "2 hours ago");
  EXPECT_FALSE(words->atime);
  EXPECT_FALSE(words->read_only);
  EXPECT_TRUE(parse_mount_words({"ro"})->read_only);
}

TEST(MountWords, OfFstabAreTakenAndUnknownOnesNamed) {
  EXPECT_TRUE(
      parse_mount_words({"defaults,noauto,nofail,_netdev,x-systemd.automount,dev,suid"}).ok());
  EXPECT_TRUE(parse_mount_words({}).ok());
  const auto unknown = parse_mount_words({"ro,frobnicate"});
  EXPECT_EQ(unknown.code(), Code::kInvalid);
  EXPECT_NE(unknown.error().context().find("frobnicate"), std::string::npos);
}

TEST(MountPlaces, MayNotHideTheVolumeNorEachOther) {
  const std::vector<node::MountInfo> table = {
      {"0:1", "/", "/", "ext4", "/dev/vda", false},
      {"0:50", "/", "/mnt", "fuse.nacre", "/srv/other", false}};
  EXPECT_TRUE(check_places("/srv/vol", "/home/ann/nacre", table).ok());
  EXPECT_TRUE(check_places("/srv/vol", "/srv/volume", table).ok());
  EXPECT_EQ(check_places("/srv/vol", "/srv/vol", table).code(), Code::kInvalid);
  EXPECT_EQ(check_places("/srv/vol", "/srv", table).code(), Code::kInvalid);
  EXPECT_EQ(check_places("/srv/vol", "/srv/vol/mnt", table).code(), Code::kInvalid);
  EXPECT_EQ(check_places("/srv/vol", "/mnt", table).code(), Code::kBusy);
}

}  // namespace
}  // namespace nacre::cli
