#include "node/superblock_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/sim_disk.h"

namespace nacre::node {
namespace {

const std::string kDirectory = "/volume";
const std::string kFirst = "/volume/nacre.volume";
const std::string kSecond = "/volume/nacre.volume.bak";

wire::VolumeSuperblock example(uint64_t generation) {
  wire::VolumeSuperblock superblock;
  superblock.generation = generation;
  superblock.volume = {1, 2};
  superblock.devices = {{{3, 4}, ""}};
  return superblock;
}

class SuperblockFiles : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.create_directories(kDirectory).ok());
    ASSERT_TRUE(disk_.sync_directory("/").ok());
    write(1);
  }
  void write(uint64_t generation) {
    const Status written = write_superblock(disk_, kDirectory, example(generation));
    ASSERT_TRUE(written.ok()) << written.error().to_string();
  }
  FoundSuperblock find() {
    auto found = read_superblock(disk_, kDirectory);
    EXPECT_TRUE(found.ok()) << found.error().to_string();
    return found.ok() ? found.take() : FoundSuperblock();
  }
  Error refusal() { return read_superblock(disk_, kDirectory).error(); }
  void put(const std::string& path, const std::string& bytes) {
    const auto file = disk_.open(path, os::OpenMode::kCreate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->truncate(0).ok());
    ASSERT_TRUE((*file)->write_at(0, as_bytes(bytes)).ok());
    ASSERT_TRUE((*file)->sync().ok());
  }

  os::SimDisk disk_{1, 16 * kMiB};
};

TEST_F(SuperblockFiles, AreReadAsWritten) {
  EXPECT_EQ(find().superblock, example(1));
  EXPECT_TRUE(find().problems.empty());
}

TEST_F(SuperblockFiles, OneDamagedCopyIsSurvivedAndReported) {
  for (const std::string& path : {kFirst, kSecond}) {
    write(1);
    ASSERT_TRUE(disk_.rot(path, 40).ok());
    const FoundSuperblock found = find();
    EXPECT_EQ(found.superblock, example(1));
    ASSERT_EQ(found.problems.size(), 1u);
    EXPECT_EQ(found.problems[0], path + ": the superblock fails its checksum");
  }
}

TEST_F(SuperblockFiles, OneMissingCopyIsSurvivedAndReported) {
  for (const std::string& path : {kFirst, kSecond}) {
    write(1);
    ASSERT_TRUE(disk_.remove_file(path).ok());
    ASSERT_EQ(find().problems.size(), 1u);
    EXPECT_EQ(find().problems[0], path + ": it is missing");
  }
}

TEST_F(SuperblockFiles, TwoDamagedCopiesAreRefusedWithAdvice) {
  ASSERT_TRUE(disk_.rot(kFirst, 40).ok());
  ASSERT_TRUE(disk_.rot(kSecond, 41).ok());
  EXPECT_EQ(refusal().code(), Code::kCorrupt);
  EXPECT_EQ(
      refusal().context(),
      "/volume/nacre.volume: the superblock fails its checksum, and the copy nacre.volume.bak "
      "is of no use either: put one of the two back from a backup; nothing else of the volume "
      "needs to be touched");
  ASSERT_TRUE(disk_.remove_file(kFirst).ok());
  EXPECT_EQ(refusal().code(), Code::kCorrupt);
}

TEST_F(SuperblockFiles, WithoutAnyThereIsNoVolume) {
  EXPECT_TRUE(*has_superblock(disk_, kDirectory));
  ASSERT_TRUE(remove_superblock(disk_, kDirectory).ok());
  EXPECT_FALSE(*has_superblock(disk_, kDirectory));
  EXPECT_EQ(refusal().code(), Code::kNotFound);
  EXPECT_EQ(refusal().context(),
            "/volume holds no volume: make one with `nacre volume create /volume`");
}

TEST_F(SuperblockFiles, OfAVolumeBeingDestroyedItIsKnownWhichItWas) {
  for (uint64_t operations = 1; operations < 12; ++operations) {
    ASSERT_TRUE(remove_superblock(disk_, kDirectory).ok());
    write(operations);
    disk_.crash_after(operations);
    const bool marked = mark_destroyed(disk_, kDirectory, example(operations)).ok();
    disk_.crash();
    const auto destroyed = read_destroyed(disk_, kDirectory);
    if (!*has_superblock(disk_, kDirectory)) {
      ASSERT_TRUE(destroyed.ok()) << operations;
      EXPECT_EQ(*destroyed, example(operations));
      EXPECT_THAT(refusal().context(), testing::HasSubstr("nacre volume destroy /volume"));
    } else {
      EXPECT_FALSE(marked);
      EXPECT_EQ(find().superblock, example(operations));
    }
  }
  ASSERT_TRUE(remove_superblock(disk_, kDirectory).ok());
  EXPECT_EQ(read_destroyed(disk_, kDirectory).code(), Code::kNotFound);
}

TEST_F(SuperblockFiles, AnAbsurdlyLongFileIsNotRead) {
  put(kFirst, std::string(wire::kMaxVolumeSuperblockBytes + 1, 'x'));
  EXPECT_EQ(find().problems.size(), 1u);
}

TEST_F(SuperblockFiles, ALaterFormatIsRefusedWhicheverCopyHasIt) {
  wire::VolumeSuperblock later = example(1);
  later.features.incompat = 0x40;
  for (const std::string& path : {kFirst, kSecond}) {
    write(1);
    put(path, wire::encode_volume_superblock(later));
    EXPECT_EQ(refusal().code(), Code::kNewerFormat);
  }
}

TEST_F(SuperblockFiles, APowerCutWhileWritingLeavesTheOldOrTheNew) {
  for (uint64_t operations = 1; operations < 20; ++operations) {
    write(2 * operations);
    disk_.crash_after(operations);
    const bool written = write_superblock(disk_, kDirectory, example(2 * operations + 1)).ok();
    disk_.crash();
    const uint64_t generation = find().superblock.generation;
    EXPECT_TRUE(generation == 2 * operations + 1 || (!written && generation == 2 * operations))
        << operations << ": " << generation;
  }
}

}  // namespace
}  // namespace nacre::node
