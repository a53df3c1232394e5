#include <gtest/gtest.h>

#include "device/rig.h"
#include "device/segment_table.h"

namespace nacre::device {
namespace {

constexpr size_t kSize = 100000;

// Puts blocks {number, 1} from `first` until the device is full; returns the last.
uint64_t fill(Device& device, uint64_t first = 1) {
  for (uint64_t number = first;; ++number) {
    const Status put_one = put(device, {number, 1}, kSize);
    if (put_one.ok()) continue;
    EXPECT_EQ(put_one.code(), Code::kNoSpace) << put_one.error().to_string();
    return number - 1;
  }
}

TEST(DeviceClean, ADeviceFillsToItsReserve) {
  Rig rig;
  rig.format_and_open();
  const uint64_t blocks = fill(*rig.device);
  const Space space = rig.device->space();
  EXPECT_GE(blocks * 106496, space.capacity_bytes * 9 / 10);
  EXPECT_LT(space.free_bytes, 300000u);
  for (uint64_t i = 1; i <= blocks; ++i) expect_stored(*rig.device, {i, 1}, kSize);
  EXPECT_EQ(get(*rig.device, {blocks + 1, 1}).code(), Code::kNotFound);
}

TEST(DeviceClean, TakesBlocksAgainOnceASegmentIsEmptied) {
  Rig rig;
  rig.format_and_open();
  const uint64_t blocks = fill(*rig.device);
  ASSERT_OK(rig.device->sync());
  for (uint64_t i = 1; i <= 40; ++i) ASSERT_OK(rig.device->remove({i, 1}, 0));
  EXPECT_OK(put(*rig.device, {9999, 1}, kSize));  // without cleaning
  for (uint64_t i = 41; i <= blocks; ++i) expect_stored(*rig.device, {i, 1}, kSize);
}

TEST(DeviceClean, GainsWhatWasAskedForAndKeepsWhatLives) {
  Rig rig;
  rig.format_and_open();
  const uint64_t blocks = fill(*rig.device);
  for (uint64_t i = 1; i <= blocks; ++i) {
    if (i % 3 == 0) continue;
    ASSERT_OK(rig.device->remove({i, 1}, 0));
  }
  ASSERT_OK(rig.device->sync());
  const uint64_t before = rig.device->space().free_bytes;
  const Result<uint64_t> gained = rig.device->clean(8 * kMiB);
  ASSERT_TRUE(gained.ok()) << gained.error().to_string();
  EXPECT_GE(*gained, 8 * kMiB);
  EXPECT_GE(rig.device->space().free_bytes, before + *gained);
  EXPECT_LE(rig.device->space().free_bytes, before + 12 * kMiB);  // and no more than needed
  rig.crash();
  rig.open();
  EXPECT_EQ(listed(*rig.device).size(), blocks / 3);
  for (uint64_t i = 3; i <= blocks; i += 3) expect_stored(*rig.device, {i, 1}, kSize);
}

TEST(DeviceClean, StopsWhenNothingIsLeftToGain) {
  Rig rig;
  rig.format_and_open();
  const uint64_t blocks = fill(*rig.device);
  EXPECT_EQ(*rig.device->clean(UINT64_MAX), 0u);
  for (uint64_t i = 1; i <= blocks; i += 2) ASSERT_OK(rig.device->remove({i, 1}, 0));
  EXPECT_GT(*rig.device->clean(UINT64_MAX), 10 * kMiB);
  EXPECT_EQ(*rig.device->clean(UINT64_MAX), 0u);
  EXPECT_EQ(listed(*rig.device).size(), blocks / 2);
}

// One block in each segment goes, then the device is filled again, over and over.
TEST(DeviceClean, AFullDeviceCanAlwaysRemoveAndClean) {
  Rig rig;
  rig.format_and_open({.capacity_bytes = 12 * kMiB + 8192});
  fill(*rig.device);
  ASSERT_OK(rig.device->sync());
  uint64_t next = 100000;
  uint64_t total_gained = 0;
  for (int round = 0; round < 60; ++round) {
    int removed = 0;
    for (const auto& [id, size] : listed(*rig.device)) {
      if (++removed % 9 != round % 9) continue;
      ASSERT_OK(rig.device->remove(id, 0));
      ASSERT_OK(rig.device->sync());
    }
    const Result<uint64_t> gained = rig.device->clean(kMiB / 2);
    ASSERT_TRUE(gained.ok()) << round << " " << gained.error().to_string();
    total_gained += *gained;
    while (put(*rig.device, {++next, 2}, kSize).ok()) {
    }
    if (round % 7 == 0) {
      rig.crash();
      rig.open();
    }
  }
  EXPECT_GT(total_gained, 30 * kMiB);
  for (const auto& [id, size] : listed(*rig.device)) expect_stored(*rig.device, id, kSize);
}

// Each removal is synced alone and takes a page; without cleaning there is room for few.
TEST(DeviceClean, RemovalsOnAFullDeviceNeverRunOutOfSpace) {
  Rig rig;
  rig.format_and_open({.capacity_bytes = 64 * 16 * kKiB * 4 + 8192,
                       .segment_bytes = 256 * kKiB,
                       .block_bytes = 8 * kKiB});
  uint64_t blocks = 0;
  while (put(*rig.device, {blocks + 1, 1}, 100).ok()) ++blocks;
  ASSERT_GT(blocks, 700u);
  for (uint64_t i = 1; i <= blocks; ++i) {
    const BlockId id{i * 337 % blocks + 1, 1};
    ASSERT_OK(rig.device->remove(id, 0));
    ASSERT_OK(rig.device->sync());
  }
  rig.crash();
  rig.open();
  EXPECT_LT(listed(*rig.device).size(), blocks / 100);
}

TEST(DeviceClean, RemovedBlocksStayAwayWhereverTheirCopiesWere) {
  Rig rig;
  rig.format_and_open({.capacity_bytes = 12 * kMiB + 8192});
  uint64_t next = 1;
  std::map<BlockId, bool> lives;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 30; ++i) {
      const BlockId id{next++, 3};
      if (put(*rig.device, id, 30000).ok()) lives[id] = true;
    }
    int nth = 0;
    for (auto& [id, alive] : lives) {
      if (!alive || ++nth % 3 == 0) continue;
      ASSERT_OK(rig.device->remove(id, 0));
      alive = false;
    }
    ASSERT_OK(rig.device->sync());
    ASSERT_OK(rig.device->clean(2 * kMiB));
    if (round % 2 == 0) rig.crash();
    rig.open();
    for (const auto& [id, alive] : lives) {
      ASSERT_EQ(rig.device->info(id, 0).ok(), alive) << to_hex(id) << " in round " << round;
    }
  }
}

TEST(DeviceClean, LeavesWhatIsBeingReadInPlace) {
  Rig rig;
  rig.format_and_open();
  const uint64_t blocks = fill(*rig.device);
  ASSERT_OK(rig.device->sync());
  {
    Result<Fragment> reading = rig.device->find({1, 1}, 0);
    ASSERT_TRUE(reading.ok());
    // Cleaning the segment waits for the reader, so it must be on another thread than this one;
    // here, everything else of the segment goes, and the reader still reads.
    for (uint64_t i = 2; i <= blocks; ++i) ASSERT_OK(rig.device->remove({i, 1}, 0));
    std::string bytes(kSize, '\0');
    ASSERT_OK(reading->read(0, as_writable_bytes(bytes)));
    EXPECT_TRUE(bytes == content_of({1, 1}, kSize));
  }
  ASSERT_OK(rig.device->clean(UINT64_MAX));
  expect_stored(*rig.device, {1, 1}, kSize);
}

TEST(DeviceClean, GivesSpaceThatWasLongFreeBackToTheHost) {
  Rig rig;
  ASSERT_OK(rig.disk.create_directories(rig.path));
  rig.format_and_open();
  const uint64_t blocks = fill(*rig.device);
  ASSERT_OK(rig.device->sync());
  const uint64_t host_full = rig.disk.space("/d")->free_bytes;
  for (uint64_t i = 1; i <= blocks; ++i) ASSERT_OK(rig.device->remove({i, 1}, 0));
  ASSERT_OK(rig.device->sync());
  ASSERT_OK(rig.device->clean(UINT64_MAX));
  EXPECT_EQ(rig.disk.space("/d")->free_bytes, host_full);  // not yet
  rig.clock.advance(120'000'000'000);
  ASSERT_OK(rig.device->clean(0));
  EXPECT_GT(rig.disk.space("/d")->free_bytes, host_full + 20 * kMiB);
  for (uint64_t i = 1; i <= 20; ++i) ASSERT_OK(put(*rig.device, {i, 5}, kSize));
  ASSERT_OK(rig.device->sync());
  rig.crash();
  rig.open();
  EXPECT_EQ(listed(*rig.device).size(), 20u);
}

TEST(DeviceClean, TakesNoMoreOfTheHostThanItMay) {
  Rig rig;
  rig.format_and_open({.backing = BackingKind::kDirectory});
  Device& device = *rig.device;
  const uint64_t host_bytes = rig.disk.space("/d")->free_bytes;
  device.limit(12 * kMiB + kMiB / 2);
  const uint64_t blocks = fill(device);
  EXPECT_EQ(device.host_bytes(), 12 * kMiB);
  EXPECT_GE(blocks * 106496, 8 * kMiB);
  EXPECT_LE(host_bytes - rig.disk.space("/d")->free_bytes, 13 * kMiB);
  ASSERT_OK(device.sync());

  // More, and then less: what is freed goes back at once, but never what lives.
  device.limit(20 * kMiB);
  const uint64_t more = fill(device, blocks + 1);
  EXPECT_EQ(device.host_bytes(), 20 * kMiB);
  device.limit(10 * kMiB);
  EXPECT_EQ(device.host_bytes(), 20 * kMiB);
  EXPECT_EQ(device.space().over_bytes, 10 * kMiB);
  EXPECT_EQ(put(device, {9999, 1}, kSize).code(), Code::kNoSpace);
  for (uint64_t i = 1; i <= more; ++i) {
    if (i % 4 != 0) ASSERT_OK(device.remove({i, 1}, 0));
  }
  ASSERT_OK(device.sync());
  ASSERT_TRUE(device.clean(20 * kMiB).ok());
  EXPECT_EQ(device.host_bytes(), 10 * kMiB);
  for (uint64_t i = 4; i <= more; i += 4) expect_stored(device, {i, 1}, kSize);
}

TEST(DeviceClean, WorksWhenTheHostIsFull) {
  Rig rig;
  ASSERT_OK(rig.disk.create_directories(rig.path));
  rig.format_and_open();
  for (uint64_t i = 1; i <= 40; ++i) ASSERT_OK(put(*rig.device, {i, 1}, kSize));
  ASSERT_OK(rig.device->sync());
  rig.disk.set_capacity(0);
  uint64_t blocks = 40;
  while (put(*rig.device, {blocks + 1, 1}, kSize).ok()) ++blocks;
  EXPECT_LT(blocks, 60u);
  EXPECT_EQ(put(*rig.device, {blocks + 1, 1}, kSize).code(), Code::kNoSpace);
  for (uint64_t i = 1; i <= blocks; i += 2) ASSERT_OK(rig.device->remove({i, 1}, 0));
  ASSERT_OK(rig.device->sync());
  EXPECT_GT(*rig.device->clean(kMiB), 0u);
  EXPECT_OK(put(*rig.device, {1000, 1}, kSize));
  for (uint64_t i = 2; i <= blocks; i += 2) expect_stored(*rig.device, {i, 1}, kSize);
}

}  // namespace
}  // namespace nacre::device
