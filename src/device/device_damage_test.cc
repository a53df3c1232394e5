#include <gtest/gtest.h>

#include <set>

#include "device/rig.h"

namespace nacre::device {
namespace {

constexpr uint64_t kFirstSegment = 4096;  // of a small image

// An image with three blocks in its first segment: their records begin at pages 1, 26 and 51, with
// their payloads one page behind.
class DeviceDamage : public testing::Test {
 protected:
  static constexpr size_t kSize = 98000;
  static constexpr uint64_t kPages = 25;

  void SetUp() override {
    rig_.format_and_open();
    for (uint64_t i = 1; i <= 3; ++i) ASSERT_OK(put(device(), {i, i}, kSize));
    ASSERT_OK(device().sync());
    ASSERT_EQ(device().space().used_bytes, 3 * kPages * 4096);
  }
  Device& device() { return *rig_.device; }
  uint64_t record_at(uint64_t number) { return (1 + (number - 1) * kPages) * 4096; }
  uint64_t payload_at(uint64_t number) { return record_at(number) + 4096; }
  void rot(uint64_t offset) { ASSERT_OK(rig_.disk.rot(rig_.path, kFirstSegment + offset)); }
  void fail_reads(uint64_t offset, uint64_t length) {
    rig_.disk.fail_reads(rig_.path, kFirstSegment + offset, length);
  }
  void reopen_cleanly() {
    rig_.close();
    rig_.open();
  }
  std::vector<Problem> check(bool deep) {
    std::vector<Problem> problems;
    const Result<CheckReport> report =
        device().check(deep, [&](const Problem& problem) { problems.push_back(problem); });
    EXPECT_TRUE(report.ok());
    EXPECT_EQ(report->problems, problems.size());
    return problems;
  }

  Rig rig_;
};

TEST_F(DeviceDamage, ARottenPageIsNamedAndCountedAndTheRestIsRead) {
  rot(payload_at(2) + 20000);
  std::string into(1000, '\0');
  const Status bad = device().read({2, 2}, 0, 17000, as_writable_bytes(into));
  EXPECT_EQ(bad.code(), Code::kCorrupt);
  EXPECT_EQ(bad.error().context(), "device /d/device, segment 0, byte " +
                                       std::to_string(payload_at(2) + 16384) +
                                       ": data fails its checksum");
  EXPECT_EQ(device().health().corrupt_reads, 1u);
  EXPECT_OK(device().read({2, 2}, 0, 15000, as_writable_bytes(into)));
  EXPECT_OK(device().read({2, 2}, 0, 40000, as_writable_bytes(into)));
  expect_stored(device(), {1, 1}, kSize);
  expect_stored(device(), {3, 3}, kSize);
}

TEST_F(DeviceDamage, AnUnreadablePlaceIsKIo) {
  fail_reads(payload_at(1) + 50000, 1);
  std::string into(1000, '\0');
  const Status bad = device().read({1, 1}, 0, 50000, as_writable_bytes(into));
  EXPECT_EQ(bad.code(), Code::kIo);
  EXPECT_TRUE(bad.error().context().starts_with("device /d/device, segment 0, "));
  EXPECT_EQ(device().health().io_errors, 1u);
  EXPECT_OK(device().read({1, 1}, 0, 0, as_writable_bytes(into)));
}

TEST_F(DeviceDamage, ARottenRecordHeaderIsNoticedWhenItIsNeeded) {
  reopen_cleanly();
  rot(record_at(2) + 40);
  const Result<std::string> bad = get(device(), {2, 2});
  EXPECT_EQ(bad.code(), Code::kCorrupt);
  EXPECT_EQ(bad.error().context(), "device /d/device, segment 0, byte " +
                                       std::to_string(record_at(2)) +
                                       ": record header fails its checksum");
  expect_stored(device(), {1, 1}, kSize);
}

TEST_F(DeviceDamage, ARottenSummaryIsMadeAgainFromTheRecords) {
  rig_.close();
  rot(kMiB - 30);
  rig_.open();
  EXPECT_EQ(listed(device()).size(), 3u);
  EXPECT_EQ(device().health().torn_records, 0u);
  EXPECT_TRUE(check(true).empty());
}

TEST_F(DeviceDamage, ARottenSegmentHeaderIsMadeAgain) {
  for (const bool orderly : {true, false}) {
    if (orderly) rig_.close();
    rig_.device.reset();
    rot(10);
    rig_.open();
    EXPECT_EQ(listed(device()).size(), 3u);
    EXPECT_EQ(device().health().corrupt_reads, 1u);
    EXPECT_TRUE(check(true).empty());
    rig_.close();
    rig_.open();
    EXPECT_EQ(device().health().corrupt_reads, 0u);
  }
}

TEST_F(DeviceDamage, ARecordWhoseHeaderRottedUnsealedIsLostAndReportedAndTheNextIsFound) {
  ASSERT_OK(put(device(), {4, 4}, kSize));  // says that the first three were durable
  ASSERT_OK(device().sync());
  rot(record_at(2) + 40);
  rig_.crash();
  rig_.open();
  EXPECT_EQ(get(device(), {2, 2}).code(), Code::kNotFound);
  for (const uint64_t i : {1u, 3u, 4u}) expect_stored(device(), {i, i}, kSize);
  EXPECT_EQ(device().health().lost_places, 1u);
}

TEST_F(DeviceDamage, ARecordWhosePayloadRottedUnsealedIsCorruptIfItWasDurable) {
  ASSERT_OK(put(device(), {4, 4}, kSize));
  ASSERT_OK(device().sync());
  rot(payload_at(2) + 10);
  rig_.crash();
  rig_.open();
  EXPECT_EQ(get(device(), {2, 2}).code(), Code::kCorrupt);
  for (const uint64_t i : {1u, 3u, 4u}) expect_stored(device(), {i, i}, kSize);
}

TEST_F(DeviceDamage, AnUnreadableSegmentIsKeptOutOfUse) {
  rig_.close();
  fail_reads(0, kMiB);
  rig_.open();
  EXPECT_EQ(device().health().damaged_segments, 1u);
  EXPECT_TRUE(listed(device()).empty());
  ASSERT_OK(put(device(), {7, 7}, kSize));
  EXPECT_EQ(check(false).size(), 1u);
  // Cleaning leaves it alone, however much is wanted.
  EXPECT_OK(device().clean(UINT64_MAX));
  expect_stored(device(), {7, 7}, kSize);
}

TEST_F(DeviceDamage, CheckFindsEveryDamagedRecord) {
  EXPECT_TRUE(check(true).empty());
  rot(payload_at(1) + 70000);
  rot(record_at(3) + 20);
  const std::vector<Problem> shallow = check(false);
  ASSERT_EQ(shallow.size(), 1u);
  EXPECT_EQ(shallow[0].id, (BlockId{3, 3}));
  EXPECT_EQ(shallow[0].segment, 0u);
  EXPECT_EQ(shallow[0].offset_bytes, record_at(3));
  const std::vector<Problem> deep = check(true);
  ASSERT_EQ(deep.size(), 2u);
  EXPECT_EQ(deep[0].id, (BlockId{1, 1}));
  EXPECT_EQ(deep[0].what, "byte " + std::to_string(payload_at(1) + 65536) +
                              ": data fails its checksum (corrupt)");
}

TEST_F(DeviceDamage, FlippedBytesAreNoticedAndFlippedAgainAreGood) {
  ASSERT_OK(put(device(), {4, 4}, kSize));  // says that the first three were durable
  ASSERT_OK(device().sync());
  const auto spot = device().flip({2, 2}, 0, 20000, 3);
  ASSERT_OK(spot);
  EXPECT_EQ(spot->segment, 0u);
  EXPECT_EQ(spot->offset_bytes, payload_at(2) + 20000);
  rig_.crash();
  rig_.open();
  EXPECT_EQ(get(device(), {2, 2}).code(), Code::kCorrupt);
  expect_stored(device(), {1, 1}, kSize);
  expect_stored(device(), {3, 3}, kSize);
  ASSERT_OK(device().flip({2, 2}, 0, 20000, 3));
  expect_stored(device(), {2, 2}, kSize);
}

TEST_F(DeviceDamage, OnlyBytesThatAreThereCanBeFlipped) {
  EXPECT_EQ(device().flip({4, 4}, 0, 0, 1).code(), Code::kNotFound);
  EXPECT_EQ(device().flip({2, 2}, 1, 0, 1).code(), Code::kNotFound);
  EXPECT_EQ(device().flip({2, 2}, 0, kSize, 1).code(), Code::kOutOfRange);
  EXPECT_EQ(device().flip({2, 2}, 0, 1, kSize).code(), Code::kOutOfRange);
  EXPECT_EQ(device().flip({2, 2}, 0, 1, UINT64_MAX).code(), Code::kOutOfRange);
  EXPECT_EQ(device().flip({2, 2}, 0, 0, 0).code(), Code::kOutOfRange);
  EXPECT_OK(device().flip({2, 2}, 0, kSize - 1, 1));
  EXPECT_EQ(get(device(), {2, 2}).code(), Code::kCorrupt);
}

TEST_F(DeviceDamage, CheckReadsEveryByte) {
  const Result<CheckReport> report = device().check(true, [](const Problem&) {});
  EXPECT_EQ(report->segments, 1u);
  EXPECT_EQ(report->records, 3u);
  EXPECT_EQ(report->bytes, 3 * kSize);
}

TEST_F(DeviceDamage, CleaningMovesDamageAsItIs) {
  rot(payload_at(2) + 20000);
  ASSERT_OK(device().remove({1, 1}, 0));
  reopen_cleanly();
  EXPECT_OK(device().clean(kMiB));
  EXPECT_EQ(get(device(), {2, 2}).code(), Code::kCorrupt);
  std::string into(1000, '\0');
  EXPECT_OK(device().read({2, 2}, 0, 40000, as_writable_bytes(into)));
  EXPECT_TRUE(as_text(as_bytes(into)) == content_of({2, 2}, kSize).substr(40000, 1000));
  expect_stored(device(), {3, 3}, kSize);
}

TEST_F(DeviceDamage, CleaningLeavesASegmentThatItCannotRead) {
  fail_reads(payload_at(2), 100);
  ASSERT_OK(device().remove({1, 1}, 0));
  reopen_cleanly();
  EXPECT_EQ(device().clean(kMiB).code(), Code::kIo);
  expect_stored(device(), {3, 3}, kSize);
  EXPECT_EQ(get(device(), {2, 2}).code(), Code::kIo);
  EXPECT_EQ(*device().clean(kMiB), 0u);  // set aside
  rig_.close();
  rig_.open();
  expect_stored(device(), {3, 3}, kSize);
  EXPECT_EQ(get(device(), {1, 1}).code(), Code::kNotFound);
}

TEST_F(DeviceDamage, NothingIsWrittenAnyMoreOnceASyncFailed) {
  ASSERT_OK(put(device(), {4, 4}, kSize));
  rig_.disk.crash_after(1);
  EXPECT_EQ(device().sync().code(), Code::kIo);
  EXPECT_EQ(device().sync().code(), Code::kIo);
  EXPECT_EQ(put(device(), {5, 5}, kSize).code(), Code::kIo);
  EXPECT_TRUE(device().health().failed);
  rig_.crash();
  rig_.open();
  EXPECT_FALSE(device().health().failed);
  EXPECT_OK(put(device(), {5, 5}, kSize));
}

// Any one flipped bit, anywhere: every block reads as it was put or says that it is damaged.
TEST_F(DeviceDamage, NoFlippedBitEverYieldsWrongBytes) {
  os::SeededRandom random(1);
  for (int i = 0; i < 300; ++i) {
    Rig rig(100 + static_cast<uint64_t>(i));
    rig.format_and_open();
    for (uint64_t id = 1; id <= 3; ++id) ASSERT_OK(put(*rig.device, {id, id}, 30000));
    ASSERT_OK(rig.device->sync());
    if (i % 2 == 0) ASSERT_OK(rig.device->close());
    const uint64_t used = 4096 + 28 * 4096;
    const uint64_t offset =
        i % 3 == 0 ? kFirstSegment + kMiB - 1 - random.next() % 200 : random.next() % used;
    ASSERT_OK(rig.disk.rot(rig.path, offset));
    Result<std::unique_ptr<Device>> opened = (rig.device.reset(), rig.try_open());
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    int hurt = 0;
    for (uint64_t id = 1; id <= 3; ++id) {
      const Result<std::string> bytes = get(**opened, {id, id});
      if (!bytes.ok()) {
        ++hurt;
      } else {
        EXPECT_TRUE(*bytes == content_of({id, id}, 30000)) << "offset " << offset;
      }
    }
    EXPECT_LE(hurt, 1) << "offset " << offset;
  }
}

}  // namespace
}  // namespace nacre::device
