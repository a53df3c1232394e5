#include <gtest/gtest.h>

#include "device/backing.h"
#include "device/probe.h"
#include "device/rig.h"
#include "device/superblocks.h"

namespace nacre::device {
namespace {

void write_at(os::SimDisk& disk, const std::string& path, uint64_t offset, std::string_view bytes) {
  const auto file = disk.open(path, os::OpenMode::kCreate).take();
  ASSERT_OK(file->write_at(offset, as_bytes(bytes)));
  ASSERT_OK(file->sync());
}

// Changes both superblocks of an image.
void edit_superblocks(Rig& rig, const std::function<void(wire::Superblock&)>& edit) {
  const auto backing = open_image(rig.disk, rig.path, false).take();
  wire::Superblock superblock = read_superblocks(*backing, rig.path)->superblock;
  edit(superblock);
  ASSERT_OK(write_superblocks(*backing, superblock, 0));
}

TEST(DeviceFormat, MakesAnEmptyDeviceOfItsOwnId) {
  Rig rig;
  const Result<Identity> identity = rig.format();
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(identity->volume, kVolume);
  EXPECT_EQ(identity->segment_bytes, kMiB);
  EXPECT_EQ(identity->segment_count, 32u);
  EXPECT_EQ(rig.open().identity().device, identity->device);
  EXPECT_TRUE(listed(*rig.device).empty());
  EXPECT_EQ(rig.device->name(), "/d/device");
}

TEST(DeviceFormat, ChoosesSegmentsByTheSizeOfTheDevice) {
  Rig rig(1, 4 * kTiB);
  const auto segment_bytes = [&rig](const std::string& path, uint64_t capacity_bytes) {
    const Result<Identity> identity =
        Device::format(rig.host(), path, {.volume = kVolume, .capacity_bytes = capacity_bytes});
    EXPECT_TRUE(identity.ok()) << identity.error().to_string();
    return identity.ok() ? identity->segment_bytes : 0;
  };
  EXPECT_EQ(segment_bytes("/d/small", 600 * kMiB), 32 * kMiB);
  EXPECT_EQ(segment_bytes("/d/usual", 100 * kGiB), 64 * kMiB);
  EXPECT_EQ(segment_bytes("/d/large", 2 * kTiB), 128 * kMiB);
}

TEST(DeviceFormat, RefusesSizesThatCannotWork) {
  Rig rig;
  EXPECT_EQ(rig.format({.capacity_bytes = 7 * kMiB}).code(), Code::kInvalid);
  EXPECT_EQ(rig.format({.segment_bytes = kMiB, .block_bytes = 256 * kKiB}).code(), Code::kInvalid);
  EXPECT_EQ(rig.format({.segment_bytes = kMiB + 1}).code(), Code::kInvalid);
  EXPECT_EQ(*rig.disk.kind(rig.path), os::PathKind::kMissing);
}

TEST(DeviceFormat, SaysWhatItWouldDestroy) {
  using namespace std::string_view_literals;
  const struct {
    uint64_t offset;
    std::string_view bytes;
    std::string_view found;
  } cases[] = {{1080, "\x53\xef"sv, "an ext2, ext3 or ext4 file system"},
               {0, "XFSB"sv, "an xfs file system"},
               {65600, "_BHRfS_M"sv, "a btrfs file system"},
               {4086, "SWAPSPACE2"sv, "a swap area"},
               {0, "LUKS\xba\xbe"sv, "a LUKS container"},
               {512, "EFI PART"sv, "a GPT partition table"},
               {(64u << 20) - 512, "EFI PART"sv, "a GPT partition table"},
               {510, "\x55\xaa"sv, "an MBR partition table or a boot sector"},
               {5000, "hello"sv, "data of an unknown kind"}};
  for (const auto& one : cases) {
    Rig rig;
    write_at(rig.disk, rig.path, (64u << 20) - 1, "\0"sv);
    write_at(rig.disk, rig.path, one.offset, one.bytes);
    const Result<Identity> refused = rig.format({.capacity_bytes = 64u << 20});
    EXPECT_EQ(refused.code(), Code::kExists);
    EXPECT_EQ(refused.error().context(), "/d/device holds " + std::string(one.found));
    EXPECT_OK(rig.format({.force = true, .capacity_bytes = 64u << 20}));
    EXPECT_TRUE(describe_content(rig.disk, rig.path)->starts_with("a Nacre device"));
    rig.open();
  }
}

TEST(DeviceFormat, RefusesAnotherDeviceUnlessForced) {
  for (const bool directory : {false, true}) {
    Rig rig;
    if (directory) ASSERT_OK(rig.disk.create_directories(rig.path));
    rig.format_and_open();
    ASSERT_OK(put(*rig.device, {1, 1}, 100000));
    rig.close();
    const Result<Identity> refused = rig.format();
    EXPECT_EQ(refused.code(), Code::kExists);
    EXPECT_NE(refused.error().context().find("a Nacre device of volume " + to_hex(kVolume)),
              std::string::npos);
    ASSERT_OK(rig.format({.force = true}));
    rig.open();
    EXPECT_TRUE(listed(*rig.device).empty());
    EXPECT_EQ(rig.device->space().used_bytes, 0u);
    EXPECT_EQ(rig.device->health().damaged_segments, 0u);
  }
}

TEST(DeviceFormat, RefusesADirectoryWithFilesUnlessForcedAndLeavesThemThen) {
  Rig rig;
  ASSERT_OK(rig.disk.create_directories(rig.path));
  write_at(rig.disk, rig.path + "/thesis.txt", 0, "precious");
  const Result<Identity> refused = rig.format();
  EXPECT_EQ(refused.code(), Code::kExists);
  EXPECT_NE(refused.error().context().find("\"thesis.txt\""), std::string::npos);
  ASSERT_OK(rig.format({.force = true}));
  rig.open();
  EXPECT_EQ(*rig.disk.kind(rig.path + "/thesis.txt"), os::PathKind::kFile);
}

TEST(DeviceErase, LeavesNoDeviceAndWhatElseIsThere) {
  for (const bool directory : {false, true}) {
    Rig rig;
    if (directory) ASSERT_OK(rig.disk.create_directories(rig.path));
    rig.format_and_open();
    ASSERT_OK(put(*rig.device, {1, 1}, 100000));
    EXPECT_EQ(Device::erase(rig.host(), rig.path, kVolume).code(), Code::kBusy);
    rig.close();
    if (directory) write_at(rig.disk, rig.path + "/thesis.txt", 0, "precious");
    EXPECT_EQ(Device::erase(rig.host(), rig.path, {9, 9}).code(), Code::kInvalid);
    rig.open();
    rig.close();
    for (int i = 0; i < 2; ++i) ASSERT_OK(Device::erase(rig.host(), rig.path, kVolume));
    if (directory) {
      EXPECT_EQ(rig.disk.list(rig.path).take(), std::vector<std::string>{"thesis.txt"});
    } else {
      EXPECT_FALSE(rig.try_open().ok());
      ASSERT_OK(rig.format());  // it holds nothing that would have to be forced
    }
  }
}

TEST(DeviceErase, SurvivesAPowerCutAndIsDoneAgain) {
  for (const bool directory : {false, true}) {
    for (uint64_t operations = 1;; ++operations) {
      Rig rig;
      if (directory) ASSERT_OK(rig.disk.create_directories(rig.path));
      rig.format_and_open();
      ASSERT_OK(put(*rig.device, {1, 1}, 100000));
      rig.close();
      rig.disk.crash_after(operations);
      const bool erased = Device::erase(rig.host(), rig.path, kVolume).ok();
      rig.disk.crash();
      SCOPED_TRACE(operations);
      ASSERT_OK(Device::erase(rig.host(), rig.path, kVolume));
      EXPECT_FALSE(rig.try_open().ok());
      if (erased) break;
    }
  }
}

TEST(DeviceFormat, OfADeviceInUseIsRefused) {
  Rig rig;
  rig.format_and_open();
  EXPECT_EQ(rig.format({.force = true}).code(), Code::kBusy);
  EXPECT_EQ(rig.try_open().code(), Code::kBusy);
}

TEST(DeviceFormat, SurvivesAPowerCut) {
  for (const bool directory : {false, true}) {
    Rig rig;
    if (directory) ASSERT_OK(rig.disk.create_directories(rig.path));
    ASSERT_OK(rig.format());
    rig.crash();
    rig.open();
  }
}

TEST(DeviceOpen, NamesWhatIsMissingOrNoDevice) {
  Rig rig;
  EXPECT_EQ(rig.try_open().code(), Code::kNotFound);
  write_at(rig.disk, rig.path, 0, std::string(100000, 'x'));
  const auto no_device = rig.try_open();
  EXPECT_EQ(no_device.code(), Code::kCorrupt);
  EXPECT_EQ(no_device.error().context(), "device /d/device: no Nacre superblock");
}

TEST(DeviceOpen, RefusesADeviceOfAnotherVolume) {
  Rig rig;
  ASSERT_OK(rig.format());
  const auto refused = rig.try_open({.volume = VolumeId{9, 9}});
  EXPECT_EQ(refused.code(), Code::kInvalid);
  EXPECT_EQ(refused.error().context(), "device /d/device belongs to volume " + to_hex(kVolume) +
                                           ", not to " + to_hex(VolumeId{9, 9}));
  EXPECT_OK(rig.try_open({.volume = kVolume}));
}

TEST(DeviceOpen, RefusesAnImageThatWasCutOff) {
  Rig rig;
  ASSERT_OK(rig.format());
  const auto file = rig.disk.open(rig.path, os::OpenMode::kReadWrite).take();
  ASSERT_OK(file->truncate(16 * kMiB));
  EXPECT_EQ(rig.try_open().code(), Code::kCorrupt);
}

TEST(DeviceOpen, AcceptsAnImageThatHasGrown) {
  Rig rig;
  ASSERT_OK(rig.format());
  const auto file = rig.disk.open(rig.path, os::OpenMode::kReadWrite).take();
  ASSERT_OK(file->truncate(100 * kMiB));
  EXPECT_EQ(rig.open().identity().segment_count, 32u);
  EXPECT_EQ(rig.device->health().bad_superblocks, 0u);
}

TEST(DeviceOpen, MendsOneBadSuperblock) {
  for (const uint64_t offset : {uint64_t{100}, 32 * kMiB + 4096 + 100}) {
    Rig rig;
    rig.format_and_open();
    ASSERT_OK(put(*rig.device, {1, 1}, 100000));
    rig.close();
    ASSERT_OK(rig.disk.rot(rig.path, offset));
    rig.open();
    EXPECT_EQ(rig.device->health().bad_superblocks, 1u);
    expect_stored(*rig.device, {1, 1}, 100000);
    rig.close();
    rig.open();
    EXPECT_EQ(rig.device->health().bad_superblocks, 0u);
  }
}

TEST(DeviceOpen, RefusesTwoBadSuperblocks) {
  Rig rig;
  ASSERT_OK(rig.format());
  ASSERT_OK(rig.disk.rot(rig.path, 100));
  ASSERT_OK(rig.disk.rot(rig.path, 32 * kMiB + 4096 + 100));
  const auto refused = rig.try_open();
  EXPECT_EQ(refused.code(), Code::kCorrupt);
  EXPECT_EQ(refused.error().context(), "device /d/device: superblock fails its checksum");
}

TEST(DeviceOpen, RefusesWhatANewerVersionMadeIncompatible) {
  Rig rig;
  ASSERT_OK(rig.format());
  edit_superblocks(rig, [](wire::Superblock& superblock) { superblock.features.incompat = 1; });
  EXPECT_EQ(rig.try_open().code(), Code::kNewerFormat);
}

TEST(DeviceOpen, OnlyReadsWhatANewerVersionSaysToLeaveAlone) {
  Rig rig;
  rig.format_and_open();
  ASSERT_OK(put(*rig.device, {1, 1}, 1000));
  rig.close();
  edit_superblocks(rig, [](wire::Superblock& superblock) {
    superblock.features.ro_compat = 1;
    superblock.features.compat = 0xff;
  });
  EXPECT_EQ(rig.try_open().code(), Code::kReadOnly);
  rig.open({.read_only = true});
  expect_stored(*rig.device, {1, 1}, 1000);
}

TEST(DeviceOpen, TakesNoSegmentsOfAnEarlierFormat) {
  Rig rig;
  rig.format_and_open();
  for (uint64_t i = 1; i <= 100; ++i) ASSERT_OK(put(*rig.device, {i, i}, 100000));
  ASSERT_OK(rig.device->sync());
  rig.crash();
  // The same generations again, over the old bytes.
  ASSERT_OK(rig.format({.force = true}));
  rig.open();
  ASSERT_OK(put(*rig.device, {1000, 1}, 100000));
  ASSERT_OK(rig.device->sync());
  rig.crash();
  rig.open();
  EXPECT_EQ(listed(*rig.device).size(), 1u);
  expect_stored(*rig.device, {1000, 1}, 100000);
}

}  // namespace
}  // namespace nacre::device
