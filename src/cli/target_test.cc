#include "cli/target.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "os/temp_directory.h"

namespace nacre::cli {
namespace {

namespace files = std::filesystem;

class TargetTest : public testing::Test {
 protected:
  TargetTest() {
    for (const char* name : {"mnt/docs", "view", "bound", "volume", "odd:name"}) {
      files::create_directories(temp_ / name);
    }
    std::ofstream(temp_ / "volume/nacre.volume") << "x";
    std::ofstream(temp_ / "odd:name/nacre.volume.bak") << "x";
    table_ = {mount("0:1", "/", "/", "ext4", "/dev/vda"),
              mount("0:50", "/", temp_ / "mnt", "fuse.nacre", temp_ / "volume"),
              mount("0:51", "/", temp_ / "view", "fuse.nacre", temp_ / "volume"),
              mount("0:50", "/docs", temp_ / "bound", "fuse.nacre", temp_ / "volume")};
  }
  static node::MountInfo mount(const std::string& device, const std::string& root,
                               const std::string& mountpoint, const std::string& type,
                               const std::string& source) {
    return {device, root, mountpoint, type, source, false};
  }
  Target find(const std::string& argument) {
    const auto target = find_target(argument, table_);
    EXPECT_TRUE(target.ok()) << argument << ": " << target.error().to_string();
    return target.ok() ? *target : Target{};
  }
  Code refusal(const std::string& argument) { return find_target(argument, table_).code(); }

  const os::TempDirectory temp_;
  std::vector<node::MountInfo> table_;
};

TEST_F(TargetTest, APathBelowAMountIsOneInItsVolume) {
  const Target target = find(temp_ / "mnt/docs/a.txt");
  EXPECT_EQ(target.volume, temp_ / "volume");
  EXPECT_EQ(target.path, "/docs/a.txt");
  EXPECT_EQ(target.mountpoints, (std::vector<std::string>{temp_ / "mnt", temp_ / "bound"}));
  EXPECT_EQ(find(temp_ / "mnt").path, "/");
  EXPECT_EQ(find(temp_ / "view/x").mountpoints, std::vector<std::string>{temp_ / "view"});
}

TEST_F(TargetTest, WhatDoesNotExistIsTakenByItsNames) {
  EXPECT_EQ(find(temp_ / "mnt/gone/./deeper//../a").path, "/gone/a");
  EXPECT_EQ(find(temp_ / "mnt/.nacre/at/yesterday/a").path, "/.nacre/at/yesterday/a");
}

TEST_F(TargetTest, ABoundDirectoryIsSeenThrough) {
  EXPECT_EQ(find(temp_ / "bound/a.txt").path, "/docs/a.txt");
}

TEST_F(TargetTest, ASymlinkInAVolumeIsMeantItselfAndOneThatLeadsThereIsFollowed) {
  files::create_symlink("docs", temp_ / "mnt/inside");
  files::create_symlink(temp_ / "mnt/docs", temp_ / "outside");
  EXPECT_EQ(find(temp_ / "mnt/inside").path, "/inside");
  EXPECT_EQ(find(temp_ / "mnt/inside/a").path, "/docs/a");
  EXPECT_EQ(find(temp_ / "outside").path, "/docs");
  EXPECT_EQ(find(temp_ / "outside/gone").path, "/docs/gone");
}

TEST_F(TargetTest, RelativePathsBeginHere) {
  const files::path before = files::current_path();
  files::current_path(temp_ / "mnt/docs");
  EXPECT_EQ(find("a.txt").path, "/docs/a.txt");
  EXPECT_EQ(find("../b").path, "/b");
  EXPECT_EQ(find(".").path, "/docs");
  files::current_path(before);
}

TEST_F(TargetTest, AVolumeIsFoundByItsDirectory) {
  const Target target = find(temp_ / "volume");
  EXPECT_EQ(target.volume, temp_ / "volume");
  EXPECT_EQ(target.path, "/");
  EXPECT_TRUE(target.mountpoints.empty());
}

TEST_F(TargetTest, APathInAVolumeIsWrittenBehindAColon) {
  EXPECT_EQ(find(temp_ / "volume:docs/a.txt").path, "/docs/a.txt");
  EXPECT_EQ(find(temp_ / "volume:/docs").path, "/docs");
  EXPECT_EQ(find(temp_ / "volume:").path, "/");
  EXPECT_EQ(find(temp_ / "odd:name").volume, temp_ / "odd:name");
  EXPECT_EQ(find(temp_ / "odd:name:a:b").path, "/a:b");
}

TEST_F(TargetTest, EverythingElseIsNotFound) {
  EXPECT_EQ(refusal("/etc"), Code::kNotFound);
  EXPECT_EQ(refusal(temp_ / "nowhere"), Code::kNotFound);
  EXPECT_EQ(refusal(temp_ / "nowhere:a"), Code::kNotFound);
  EXPECT_EQ(refusal(":"), Code::kNotFound);
  EXPECT_EQ(refusal(""), Code::kInvalid);
}

}  // namespace
}  // namespace nacre::cli
