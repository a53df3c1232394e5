#include "device/device.h"

#include <gtest/gtest.h>

#include "device/rig.h"
#include "wire/segment_layout.h"

namespace nacre::device {
namespace {

// In a directory, and in a plain file.
class DeviceTest : public testing::TestWithParam<BackingKind> {
 protected:
  void SetUp() override {
    if (GetParam() == BackingKind::kDirectory) ASSERT_OK(rig_.disk.create_directories(rig_.path));
    rig_.format_and_open();
    EXPECT_EQ(device().identity().backing, GetParam());
  }
  Device& device() { return *rig_.device; }

  Rig rig_;
};

INSTANTIATE_TEST_SUITE_P(Backings, DeviceTest,
                         testing::Values(BackingKind::kDirectory, BackingKind::kImage),
                         [](const auto& kind) {
                           return kind.param == BackingKind::kDirectory ? "Directory" : "Image";
                         });

TEST_P(DeviceTest, ReadsBackWhatWasPut) {
  for (const size_t size : {0u, 1u, 100u, 3900u, 4096u, 16384u, 16385u, 100000u, 900000u}) {
    const BlockId id{size + 1, 7};
    EXPECT_OK(put(device(), id, size));
    expect_stored(device(), id, size);
  }
}

TEST_P(DeviceTest, ReadsAnyRange) {
  const BlockId id{1, 2};
  const std::string bytes = content_of(id, 70000);
  ASSERT_OK(put(device(), id, 70000));
  for (const size_t offset : {0u, 1u, 16383u, 16384u, 20000u, 32768u, 69999u, 70000u}) {
    for (const size_t size : {0u, 1u, 4096u, 16384u, 16385u, 40000u, 70000u}) {
      std::string into(size, '?');
      const Status read = device().read(id, 0, offset, as_writable_bytes(into));
      if (offset + size > bytes.size()) {
        EXPECT_EQ(read.code(), Code::kOutOfRange);
        continue;
      }
      ASSERT_TRUE(read.ok());
      EXPECT_TRUE(into == bytes.substr(offset, size)) << offset << "+" << size;
    }
  }
}

TEST_P(DeviceTest, JoinsThePartsOfAPut) {
  const std::string bytes = content_of({9, 9}, 50000);
  const ByteView all = as_bytes(bytes);
  const ByteView parts[] = {all.first(1), all.subspan(1, 20000), {}, all.subspan(20001)};
  ASSERT_OK(device().put({9, 9}, 0, parts, {}));
  expect_stored(device(), {9, 9}, 50000);
}

TEST_P(DeviceTest, KeepsTheDescriptor) {
  const ByteView parts[] = {as_bytes("payload")};
  const std::string units(3000, 'u');
  ASSERT_OK(device().put(
      {1, 1}, 3, parts,
      {.logical_bytes = 99, .compression = 2, .sealing = 1, .extra = as_bytes(units)}));
  rig_.close();
  rig_.open();
  const Result<Fragment> found = device().find({1, 1}, 3);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->descriptor().logical_bytes, 99u);
  EXPECT_EQ(found->descriptor().compression, 2);
  EXPECT_EQ(found->descriptor().sealing, 1);
  EXPECT_EQ(as_text(found->descriptor().extra), units);
}

TEST_P(DeviceTest, KeepsTheFragmentsOfABlockApart) {
  for (uint16_t fragment = 0; fragment < 6; ++fragment) {
    ASSERT_OK(
        put(device(), {5, 5}, std::string(1000, static_cast<char>('a' + fragment)), fragment));
  }
  ASSERT_OK(device().remove({5, 5}, 2));
  for (uint16_t fragment = 0; fragment < 6; ++fragment) {
    const Result<std::string> bytes = get(device(), {5, 5}, fragment);
    EXPECT_EQ(bytes.ok(), fragment != 2);
    if (bytes.ok()) {
      EXPECT_EQ((*bytes)[0], static_cast<char>('a' + fragment));
    }
  }
}

TEST_P(DeviceTest, RefusesAFragmentAlreadyStored) {
  ASSERT_OK(put(device(), {1, 1}, 100));
  EXPECT_EQ(put(device(), {1, 1}, 100).code(), Code::kExists);
  ASSERT_OK(device().remove({1, 1}, 0));
  EXPECT_OK(put(device(), {1, 1}, 100));
}

TEST_P(DeviceTest, DoesNotKnowWhatWasNeverPutOrIsRemoved) {
  EXPECT_EQ(get(device(), {1, 1}).code(), Code::kNotFound);
  EXPECT_EQ(device().info({1, 1}, 0).code(), Code::kNotFound);
  EXPECT_OK(device().remove({1, 1}, 0));
  ASSERT_OK(put(device(), {1, 1}, 100));
  ASSERT_OK(device().remove({1, 1}, 0));
  EXPECT_EQ(get(device(), {1, 1}).code(), Code::kNotFound);
}

TEST_P(DeviceTest, RefusesWhatDoesNotFitIntoASegment) {
  EXPECT_EQ(put(device(), {1, 1}, kMiB).code(), Code::kTooBig);
  EXPECT_EQ(get(device(), {1, 1}).code(), Code::kNotFound);
  const ByteView parts[] = {as_bytes("x")};
  const std::string extra(wire::kMaxDescriptorBytes + 1, 'x');
  EXPECT_EQ(device().put({1, 1}, 0, parts, {.extra = as_bytes(extra)}).code(), Code::kTooBig);
}

TEST_P(DeviceTest, ListsAndDescribesWhatItHolds) {
  for (uint64_t i = 1; i <= 100; ++i) ASSERT_OK(put(device(), {i, i}, i * 100));
  for (uint64_t i = 1; i <= 100; i += 2) ASSERT_OK(device().remove({i, i}, 0));
  const std::map<BlockId, uint32_t> blocks = listed(device());
  EXPECT_EQ(blocks.size(), 50u);
  for (const auto& [id, size] : blocks) EXPECT_EQ(size, id.low * 100);
  const Result<FragmentInfo> info = device().info({50, 50}, 0);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->payload_bytes, 5000u);
  EXPECT_EQ(info->device_bytes, 12288u);
  int visits = 0;
  device().list([&visits](BlockId, uint16_t, const FragmentInfo&) { return ++visits < 3; });
  EXPECT_EQ(visits, 3);
}

TEST_P(DeviceTest, HoldsEverythingAfterAClose) {
  for (uint64_t i = 1; i <= 60; ++i) ASSERT_OK(put(device(), {i, i}, 100000));
  for (uint64_t i = 1; i <= 60; i += 3) ASSERT_OK(device().remove({i, i}, 0));
  rig_.close();
  rig_.open();
  for (uint64_t i = 1; i <= 60; ++i) {
    if (i % 3 == 1) {
      EXPECT_EQ(get(device(), {i, i}).code(), Code::kNotFound);
    } else {
      expect_stored(device(), {i, i}, 100000);
    }
  }
}

TEST_P(DeviceTest, HoldsEverythingSyncedAfterACrash) {
  for (uint64_t i = 1; i <= 60; ++i) ASSERT_OK(put(device(), {i, i}, 100000));
  for (uint64_t i = 1; i <= 60; i += 3) ASSERT_OK(device().remove({i, i}, 0));
  ASSERT_OK(device().sync());
  rig_.crash();
  rig_.open();
  EXPECT_EQ(listed(device()).size(), 40u);
  for (const auto& [id, size] : listed(device())) expect_stored(device(), id, size);
}

TEST_P(DeviceTest, HoldsEverythingWhenOnlyTheProcessDied) {
  for (uint64_t i = 1; i <= 20; ++i) ASSERT_OK(put(device(), {i, i}, 100000));
  rig_.open();
  EXPECT_EQ(listed(device()).size(), 20u);
  // Opening made it durable.
  rig_.crash();
  rig_.open();
  EXPECT_EQ(listed(device()).size(), 20u);
  EXPECT_EQ(device().health().torn_records, 0u);
}

TEST_P(DeviceTest, GoesOnInTheSegmentsOfAnOrderlyClose) {
  for (uint64_t round = 1; round <= 50; ++round) {
    ASSERT_OK(put(device(), {round, 1}, 1000));
    rig_.close();
    rig_.open();
  }
  // Fifty sessions wrote 8 KiB each: all of it shares one segment.
  const Space space = device().space();
  EXPECT_EQ(space.used_bytes, 50 * 4096u);
  EXPECT_GT(space.free_bytes, 27 * kMiB);
  for (uint64_t round = 1; round <= 50; ++round) expect_stored(device(), {round, 1}, 1000);
}

TEST_P(DeviceTest, NeverAppendsBehindATornTail) {
  ASSERT_OK(put(device(), {1, 1}, 1000));
  ASSERT_OK(device().sync());
  const uint64_t before = device().space().free_bytes;
  rig_.crash();
  rig_.open();
  ASSERT_OK(put(device(), {2, 2}, 1000));
  EXPECT_LT(device().space().free_bytes, before - 900 * kKiB);
  expect_stored(device(), {1, 1}, 1000);
}

TEST_P(DeviceTest, CountsItsSpace) {
  const Space empty = device().space();
  EXPECT_EQ(empty.used_bytes, 0u);
  EXPECT_EQ(empty.live_bytes, 0u);
  EXPECT_EQ(empty.free_bytes, empty.capacity_bytes);
  ASSERT_OK(put(device(), {1, 1}, 100000));
  ASSERT_OK(put(device(), {2, 2}, 100000));
  ASSERT_OK(device().remove({1, 1}, 0));
  const Space space = device().space();
  EXPECT_EQ(space.used_bytes, 2 * 106496u);
  EXPECT_EQ(space.live_bytes, 106496u);
  EXPECT_LE(space.free_bytes, empty.free_bytes - space.used_bytes);
}

TEST_P(DeviceTest, OpensReadOnlyWithoutChangingAByte) {
  ASSERT_OK(put(device(), {1, 1}, 100000));
  ASSERT_OK(device().sync());
  rig_.crash();
  const uint64_t before = rig_.disk.operations();
  rig_.open({.read_only = true});
  expect_stored(device(), {1, 1}, 100000);
  EXPECT_EQ(put(device(), {2, 2}, 10).code(), Code::kReadOnly);
  EXPECT_EQ(device().remove({1, 1}, 0).code(), Code::kReadOnly);
  EXPECT_EQ(device().clean(1).code(), Code::kReadOnly);
  // That the crash left a segment without a summary is no damage.
  const auto checked =
      device().check(true, [](const Problem& problem) { ADD_FAILURE() << problem.what; });
  ASSERT_TRUE(checked.ok()) << checked.error().to_string();
  EXPECT_EQ(checked->problems, 0u);
  EXPECT_OK(device().sync());
  EXPECT_OK(device().close());
  EXPECT_LE(rig_.disk.operations(), before + 1);  // the lock file
}

TEST_P(DeviceTest, KeepsItsIndexAndChecksumsWithinBounds) {
  const uint64_t bound = 64 * kKiB;
  rig_.open({.head_cache_bytes = bound});
  for (uint64_t i = 1; i <= 4000; ++i) ASSERT_OK(put(device(), {i, i * 77}, 10));
  const Usage usage = device().usage();
  EXPECT_EQ(usage.records, 4000u);
  EXPECT_LE(usage.index_bytes, 4000u * 256);
  EXPECT_LE(usage.head_cache_bytes, bound);
  for (uint64_t i = 1; i <= 4000; i += 100) expect_stored(device(), {i, i * 77}, 10);
}

}  // namespace
}  // namespace nacre::device
