#include "node/mounts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "node/test_mounter.h"
#include "node/test_volume.h"

namespace nacre::node {
namespace {

class MountsTest : public testing::Test {
 protected:
  MountsTest() { make(0); }
  void make(int64_t write_back_interval_ns) {
    mounts_.reset();
    mounts_ = std::make_unique<Mounts>(
        test_.volume(), mounter_, [this] { ++ended_; }, write_back_interval_ns);
  }
  static MountPlan plan(const std::string& mountpoint) {
    MountPlan plan;
    plan.mountpoint = mountpoint;
    plan.source = TestVolume::kPath;
    return plan;
  }
  MountState add(const std::string& mountpoint, std::optional<Sequence> at = std::nullopt) {
    auto state = mounts_->add(plan(mountpoint), at);
    EXPECT_TRUE(state.ok()) << state.error().to_string();
    return state.ok() ? *state : MountState{};
  }
  // True when nothing is left; on a busy machine that takes a while.
  bool ends() {
    for (int i = 0; i < 20'000; ++i) {
      if (mounts_->reap()) return true;
      ::usleep(1000);
    }
    return false;
  }

  TestVolume test_;
  TestMounter mounter_;
  std::atomic<int> ended_ = 0;
  std::unique_ptr<Mounts> mounts_;
};

TEST_F(MountsTest, ThePresentIsMountedOnceAndItsPastOftenAndSideBySide) {
  const Sequence old = test_.write("/a", "old");
  test_.write("/a", "newer");
  add("/present");
  EXPECT_EQ(mounts_->add(plan("/again"), {}).code(), Code::kBusy);
  EXPECT_EQ(mounts_->add(plan("/again"), {}).error().context(),
            "/srv/volume is mounted at /present already: use that, or unmount it first");
  add("/past", old);
  add("/past-too", old);
  EXPECT_EQ(mounts_->list().size(), 3u);
  EXPECT_EQ(mounts_->live()->mountpoint, "/present");
  EXPECT_EQ(mounter_.at("/past").tree->lookup(kRootInode, "a")->attr.size, 3u);
  EXPECT_EQ(mounter_.at("/present").tree->lookup(kRootInode, "a")->attr.size, 5u);
}

TEST_F(MountsTest, WhenTheLastIsGoneNothingCanBeAdded) {
  add("/present");
  add("/past", Sequence{1});
  EXPECT_FALSE(mounts_->remove("/present", false)->last);
  EXPECT_FALSE(mounts_->live().has_value());
  add("/present-again");
  EXPECT_FALSE(mounts_->remove("/past", false)->last);
  EXPECT_TRUE(mounts_->remove("/present-again", false)->last);
  EXPECT_EQ(mounts_->add(plan("/late"), {}).code(), Code::kBusy);
  EXPECT_TRUE(ends());
  EXPECT_EQ(ended_, 3);
}

TEST_F(MountsTest, SomebodyElsesUnmountIsNoticed) {
  add("/present");
  EXPECT_FALSE(mounts_->reap());
  mounter_.unmount("/present");
  EXPECT_TRUE(ends());
}

TEST_F(MountsTest, AMountInUseIsKeptUnlessLazily) {
  add("/present");
  mounter_.use("/present", true);
  EXPECT_EQ(mounts_->remove("/present", false).code(), Code::kBusy);
  EXPECT_EQ(mounter_.at("/present").write_backs, 0);
  EXPECT_FALSE(mounts_->remove("/present", true)->last);
  EXPECT_EQ(mounter_.at("/present").write_backs, 1);  // before it went out of sight
  EXPECT_FALSE(mounts_->reap());
  mounter_.unmount("/present");
  EXPECT_TRUE(ends());
}

TEST_F(MountsTest, WhatIsNotMountedCannotBeUnmounted) {
  add("/present");
  EXPECT_EQ(mounts_->remove("/elsewhere", false).code(), Code::kNotFound);
}

TEST_F(MountsTest, AFailedMountLeavesNothing) {
  EXPECT_EQ(mounts_->add(plan("/refused"), {}).code(), Code::kNotPermitted);
  EXPECT_TRUE(mounts_->list().empty());
  add("/present");
}

TEST_F(MountsTest, AllCanBeRemovedAtOnce) {
  add("/present");
  add("/past", Sequence{1});
  mounter_.use("/past", true);
  mounts_->remove_all();
  EXPECT_FALSE(mounter_.at("/present").mounted);
  mounter_.use("/past", false);
  mounter_.unmount("/past");
  EXPECT_TRUE(ends());
}

TEST_F(MountsTest, DirtyPagesOfThePresentAreAskedForRegularly) {
  make(1'000'000);
  add("/present");
  add("/past", Sequence{1});
  for (int i = 0; i < 1000 && mounter_.at("/present").write_backs < 3; ++i) ::usleep(1000);
  EXPECT_GE(mounter_.at("/present").write_backs, 3);
  EXPECT_EQ(mounter_.at("/past").write_backs, 0);
}

TEST_F(MountsTest, ChangesBehindTheKernelsBackReachThePresentAlone) {
  add("/past", Sequence{1});
  mounts_->forget_inode(kRootInode);
  add("/present");
  mounts_->forget_inode(kRootInode);
  mounts_->forget_entry(kRootInode, "a");
  EXPECT_EQ(mounter_.at("/present").forgotten_inodes.size(), 1u);
  EXPECT_EQ(mounter_.at("/present").forgotten_names.size(), 1u);
  EXPECT_TRUE(mounter_.at("/past").forgotten_inodes.empty());
}

}  // namespace
}  // namespace nacre::node
