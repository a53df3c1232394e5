#include "tier/row_shipper.h"

#include <gmock/gmock.h>

#include "bucket/memory_bucket.h"
#include "kv/memory_store.h"
#include "os/random.h"
#include "os/sim_disk.h"
#include "tier/ownership.h"
#include "tier/recovery.h"
#include "wire/bucket_names.h"

namespace nacre::tier {
namespace {

using kv::Durability;
using kv::Family;

constexpr wire::VolumeId kVolume{1, 2};

// Rows, their log on a simulated disk, and a bucket.
class ShipTest : public testing::Test {
 protected:
  ShipTest() { open(); }

  void open(uint32_t epoch = 1) {
    shipper_.reset();
    rows_.reset();
    auto opened = LoggedRows::open(
        below_, disk_, clock_, "/log",
        {.volume = kVolume, .epoch = epoch, .file_bytes = 2000, .most_bytes = 50'000});
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    rows_ = opened.take();
    locations_ = std::make_unique<Locations>(*rows_);
    ASSERT_TRUE(locations_->open().ok());
    shipper_ = std::make_unique<RowShipper>(
        RowShipper::Parts{*rows_, *locations_, bucket_, clock_,
                          [this] { return std::min(settled_, rows_->last()); }},
        format_,
        ShipOptions{.epoch = epoch,
                    .object_bytes = 3000,
                    .least_segments_bytes = 20'000,
                    .background = false});
  }
  void put(const std::string& key, const std::string& value) {
    kv::Batch batch;
    batch.put(Family::kLive, key, value);
    ASSERT_TRUE(rows_->write(batch, Durability::kSynced).ok());
  }
  void erase(const std::string& key) {
    kv::Batch batch;
    batch.erase(Family::kLive, key);
    ASSERT_TRUE(rows_->write(batch, Durability::kSynced).ok());
  }
  void ship() {
    const auto shipped = shipper_->step();
    ASSERT_TRUE(shipped.ok()) << shipped.error().to_string();
  }
  static std::map<std::string, std::string> rows_of(kv::Store& store) {
    std::map<std::string, std::string> all;
    for (size_t i = 0; i < kv::kFamilyCount; ++i) {
      const auto rows = store.iterate(static_cast<Family>(i), {});
      for (rows->seek_to_first(); rows->valid(); rows->next()) {
        all[std::to_string(i) + std::string(rows->key())] = rows->value();
      }
    }
    return all;
  }
  Result<std::map<std::string, std::string>> recovered() {
    kv::MemoryStore store;
    TRY(recover_rows(bucket_, kVolume, format_.protection, store, {}));
    return rows_of(store);
  }
  void expect_recovered() {
    const auto found = recovered();
    ASSERT_TRUE(found.ok()) << found.error().to_string();
    EXPECT_EQ(*found, rows_of(below_));
  }
  size_t objects(std::string_view prefix) {
    size_t count = 0;
    EXPECT_TRUE(bucket_.list(std::string(prefix), [&](const auto&) { return ++count > 0; }).ok());
    return count;
  }

  os::SimDisk disk_{1, kGiB};
  os::ManualClock clock_;
  kv::MemoryStore below_;
  bucket::MemoryBucket bucket_;
  PackFormat format_{.volume = kVolume, .protection = codec::Protection(codec::SealKey::random())};
  uint64_t settled_ = UINT64_MAX;
  std::unique_ptr<LoggedRows> rows_;
  std::unique_ptr<Locations> locations_;
  std::unique_ptr<RowShipper> shipper_;
};

TEST_F(ShipTest, BringsRowsBackFromTheBucketAlone) {
  EXPECT_EQ(recovered().code(), Code::kNotFound);
  put("a", "1");
  put("b", "2");
  ship();  // a checkpoint
  expect_recovered();
  put("a", "3");
  erase("b");
  put("c", std::string(10'000, 'c'));
  ship();  // segments
  expect_recovered();
  EXPECT_EQ(shipper_->status().checkpoints, 1u);
  EXPECT_GE(shipper_->status().segments, 1u);
  EXPECT_EQ(shipper_->status().shipped_batch, rows_->last());
  EXPECT_FALSE(*shipper_->step());  // nothing new
}

TEST_F(ShipTest, GoesNoFurtherThanItsBlocks) {
  put("a", "1");
  ship();
  settled_ = rows_->last();
  const auto before = rows_of(below_);
  put("b", "2");
  ship();
  EXPECT_EQ(*recovered(), before);
  settled_ = UINT64_MAX;
  ship();
  expect_recovered();
}

TEST_F(ShipTest, ACheckpointWaitsForItsBlocks) {
  put("a", "1");
  settled_ = 0;
  EXPECT_EQ(shipper_->step().code(), Code::kBusy);
  EXPECT_EQ(recovered().code(), Code::kNotFound);
  settled_ = UINT64_MAX;
  ship();
  expect_recovered();
}

TEST_F(ShipTest, GoesOnWhereAnEarlierProcessWas) {
  put("a", "1");
  ship();
  put("b", "2");
  ship();
  put("c", "3");
  open();
  put("d", "4");
  ship();
  EXPECT_EQ(shipper_->status().checkpoints, 0u);
  expect_recovered();
}

TEST_F(ShipTest, AfterAPowerCutAllRowsGoAnew) {
  put("a", "1");
  ship();
  put("b", "2");
  put("c", "3");
  rows_.reset();
  disk_.crash();  // the log was never synced
  open();
  put("d", "4");
  ship();
  EXPECT_EQ(shipper_->status().checkpoints, 1u);
  expect_recovered();
}

TEST_F(ShipTest, CheckpointsReplaceWhatCameBefore) {
  for (int i = 0; i < 60; ++i) {
    put("key" + std::to_string(i % 7),
        std::string(1000, static_cast<char>('a' + i % 26)) + std::to_string(i * 7919));
    kv::Batch noise;
    std::string bytes;
    os::SeededRandom random(static_cast<uint64_t>(i));
    while (bytes.size() < 2000) bytes += static_cast<char>(random.next());
    noise.put(Family::kPast, "noise", bytes);
    ASSERT_TRUE(rows_->write(noise, Durability::kSynced).ok());
    ship();
    expect_recovered();
  }
  EXPECT_GT(shipper_->status().checkpoints, 1u);
  EXPECT_LE(objects(wire::kSegmentObjects), 20u);
  EXPECT_LE(rows_->log().bytes(), 6000u);  // what the bucket has is gone here
}

TEST_F(ShipTest, ALogThatBecomesTooMuchGivesWayToACheckpoint) {
  put("a", "1");
  ship();
  settled_ = rows_->last();
  for (int i = 0; i < 100; ++i) put("key" + std::to_string(i), std::string(1000, 'x'));
  EXPECT_LE(rows_->log().bytes(), 53'000u);
  settled_ = UINT64_MAX;
  ship();
  EXPECT_EQ(shipper_->status().checkpoints, 2u);
  expect_recovered();
}

TEST(LoggedRows, AFullDiskTakesNothingFromTheLog) {
  os::SimDisk disk(3, 40'000);
  os::ManualClock clock;
  kv::MemoryStore below;
  const RowLog::Options options{
      .volume = kVolume, .epoch = 1, .file_bytes = 2000, .most_bytes = 30'000};
  auto rows = LoggedRows::open(below, disk, clock, "/log", options).take();
  uint64_t written = 0;
  bool was_full = false;
  for (int i = 0; i < 200; ++i) {
    kv::Batch batch;
    batch.put(Family::kLive, "key", std::string(1000, 'x'));
    const Status put = rows->write(batch, Durability::kBuffered);
    if (put.ok()) {
      ++written;
    } else {
      EXPECT_EQ(put.code(), Code::kNoSpace) << put.error().to_string();
      was_full = true;
      EXPECT_TRUE(rows->log().drop(rows->last() - 1).ok());
    }
    EXPECT_EQ(rows->last(), written);
    EXPECT_EQ(rows->log().last(), written);
  }
  EXPECT_TRUE(was_full || rows->log().bytes() <= 33'000u);
  rows.reset();
  rows = LoggedRows::open(below, disk, clock, "/log", options).take();
  EXPECT_EQ(rows->last(), written);
}

TEST_F(ShipTest, ADeadPackGoesWhenTheBucketKnows) {
  put("a", "1");
  ship();
  const wire::PackId pack{7, 7};
  const ByteView nothing;
  ASSERT_TRUE(bucket_.put(wire::pack_object_name(pack), {&nothing, 1}).ok());
  const uint64_t batch = rows_->last() + 1;
  ASSERT_TRUE(locations_->add({.id = pack}, batch).ok());
  settled_ = batch - 1;
  ship();
  EXPECT_EQ(objects(wire::kPackObjects), 1u);
  settled_ = UINT64_MAX;
  ship();
  EXPECT_EQ(objects(wire::kPackObjects), 0u);
  EXPECT_EQ(locations_->totals().dead_packs, 0u);
}

TEST_F(ShipTest, StopsWhenSomebodyElseHasRecoveredTheVolume) {
  put("a", "1");
  ship();
  ASSERT_TRUE(
      begin_epoch(bucket_, {.volume = kVolume, .epoch = 2, .writer = {5, 5}, .host = "other"})
          .ok());
  const auto before = *recovered();
  put("b", "2");
  EXPECT_EQ(shipper_->step().code(), Code::kAccess);
  EXPECT_THAT(shipper_->status().trouble, testing::HasSubstr("other"));
  EXPECT_EQ(*recovered(), before);
}

TEST_F(ShipTest, AnOldCopyOfTheVolumeReplacesNothing) {
  put("a", "1");
  ship();
  put("b", "2");
  ship();
  const auto before = *recovered();
  kv::MemoryStore older;
  auto rows = LoggedRows::open(older, disk_, clock_, "/older", {.volume = kVolume, .epoch = 1});
  ASSERT_TRUE(rows.ok());
  Locations locations(**rows);
  RowShipper shipper({**rows, locations, bucket_, clock_, [] { return UINT64_MAX; }}, format_,
                     {.background = false});
  EXPECT_EQ(shipper.step().code(), Code::kAccess);
  EXPECT_EQ(*recovered(), before);
}

TEST_F(ShipTest, AStaleListingLosesNothing) {
  put("a", "1");
  ship();
  for (int i = 0; i < 4; ++i) {
    put("b", std::to_string(i));
    ship();
  }
  bucket_.hide_newest(3);
  expect_recovered();
}

TEST_F(ShipTest, WhatLacksOrIsDamagedIsNamed) {
  put("a", "1");
  ship();
  for (int i = 0; i < 3; ++i) {
    put("b", std::to_string(i));
    ship();
  }
  bucket_.damage_next_reads(1, bucket::Damage::kFlip);
  EXPECT_EQ(recovered().code(), Code::kCorrupt);
  ASSERT_TRUE(bucket_.remove(wire::segment_object_name(1, 2)).ok());
  const auto lacking = recovered();
  EXPECT_EQ(lacking.code(), Code::kCorrupt);
  EXPECT_THAT(lacking.error().context(), testing::HasSubstr(wire::segment_object_name(1, 2)));
}

Status put_object(bucket::Bucket& bucket, const std::string& name, const std::string& object) {
  const ByteView bytes = as_bytes(object);
  return bucket.put(name, {&bytes, 1});
}

TEST(Ownership, ABucketHasOneVolume) {
  bucket::MemoryBucket bucket;
  EXPECT_EQ(find_volume(bucket).code(), Code::kNotFound);
  EXPECT_EQ(find_free(bucket, false)->generation, 1u);
  const wire::BucketVolume volume{.generation = 1, .volume = kVolume};
  ASSERT_TRUE(put_object(bucket, wire::volume_object_name(1),
                         wire::encode_bucket_volume(volume, {1, 2, 3}, {}))
                  .ok());
  EXPECT_EQ(find_free(bucket, false).code(), Code::kExists);
  EXPECT_EQ(find_free(bucket, true)->generation, 2u);
  ASSERT_TRUE(put_object(bucket, wire::segment_object_name(1, 1), "rows").ok());
  EXPECT_EQ(find_free(bucket, true).code(), Code::kExists);
  EXPECT_EQ(find_volume(bucket)->volume, volume);
  EXPECT_EQ(*last_epoch(bucket), 0u);
  for (uint32_t epoch = 1; epoch <= 3; ++epoch) {
    ASSERT_TRUE(
        begin_epoch(bucket, {.volume = kVolume, .epoch = epoch, .writer = {epoch, 1}, .host = "h"})
            .ok());
  }
  bucket.hide_newest(2);
  EXPECT_EQ(*last_epoch(bucket), 3u);
  EXPECT_EQ(check_epoch(bucket, kVolume, 2).code(), Code::kAccess);
  EXPECT_TRUE(check_epoch(bucket, kVolume, 3).ok());
}

TEST(Ownership, WhatIsNotOfAVolumeKeepsANewOneOut) {
  bucket::MemoryBucket bucket;
  ASSERT_TRUE(put_object(bucket, "holiday.jpg", "").ok());
  for (const bool replace_name : {false, true}) {
    const auto free = find_free(bucket, replace_name);
    EXPECT_EQ(free.code(), Code::kExists);
    EXPECT_THAT(free.error().context(), testing::HasSubstr("holiday.jpg"));
  }
}

TEST(Ownership, ANewVolumeInThePlaceOfANameFencesItsWriter) {
  bucket::MemoryBucket bucket;
  const wire::EpochObject epoch{.volume = kVolume, .epoch = 1, .writer = {1, 1}, .host = "h"};
  ASSERT_TRUE(begin_epoch(bucket, epoch).ok());
  EXPECT_EQ(find_free(bucket, false).code(), Code::kExists);
  EXPECT_EQ(find_free(bucket, true)->epoch, 2u);
}

}  // namespace
}  // namespace nacre::tier
