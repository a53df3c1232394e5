#include "tier/tier_store.h"

#include <gmock/gmock.h>

#include "os/thread.h"
#include "tier/tier_under_test.h"

namespace nacre::tier {
namespace {

using bucket::Operation;

constexpr size_t kBlock = 1'000'000;

BlockId id(uint64_t number) { return {number, number}; }
std::string text(uint64_t number, size_t size = kBlock) { return text_of(id(number), size); }

class TierTest : public testing::Test {
 protected:
  void put(uint64_t first, uint64_t last, size_t size = kBlock) {
    for (uint64_t i = first; i <= last; ++i) {
      const Status put = rig_.put(id(i), text(i, size));
      ASSERT_TRUE(put.ok()) << i << ": " << put.error().to_string();
    }
  }
  void expect_all(uint64_t first, uint64_t last, size_t size = kBlock) {
    for (uint64_t i = first; i <= last; ++i) {
      const auto bytes = rig_.get(id(i), 0, size);
      ASSERT_TRUE(bytes.ok()) << i << ": " << bytes.error().to_string();
      EXPECT_TRUE(*bytes == text(i, size)) << i;
    }
  }
  void evict(uint64_t first, uint64_t last) {
    for (uint64_t i = first; i <= last; ++i) ASSERT_TRUE(rig_.tier().evict(id(i)).ok());
  }

  TierUnderTest rig_;
};

TEST_F(TierTest, ManyBlocksShareAnObject) {
  put(1, 20, 50'000);
  ASSERT_NO_FATAL_FAILURE(rig_.upload());
  EXPECT_EQ(rig_.bucket().calls(Operation::kPut), 1u);
  EXPECT_EQ(rig_.tier().status().bucket.blocks, 20u);
  evict(1, 20);
  expect_all(1, 20, 50'000);
}

TEST_F(TierTest, SyncWaitsForTheBucketIfItIsToldTo) {
  for (const bool sync_remote : {false, true}) {
    TierUnderTest rig({.sync_remote = sync_remote});
    ASSERT_TRUE(rig.put(id(1), text(1)).ok());
    ASSERT_TRUE(rig.store().sync().ok());
    EXPECT_EQ(rig.bucket().calls(Operation::kPut), sync_remote ? 1u : 0u);
    rig.set_away(true);
    ASSERT_TRUE(rig.put(id(2), text(2)).ok());
    const Status synced = rig.store().sync();
    EXPECT_EQ(!synced.ok() && synced.code() == Code::kUnavailable, sync_remote);
  }
}

TEST_F(TierTest, HoldsMuchMoreThanTheDevices) {
  put(1, 90);  // of 30 MiB
  expect_all(1, 90);
  const TierStatus status = rig_.tier().status();
  EXPECT_GT(status.blocks_evicted, 60u);
  EXPECT_EQ(status.local.dirty_blocks + status.bucket.blocks, 90u);
  EXPECT_LE(rig_.local().space().used_bytes, rig_.local().space().capacity_bytes);
}

TEST_F(TierTest, FetchesTheRangeThatIsWantedAlone) {
  put(1, 1);
  rig_.upload();
  evict(1, 1);
  ASSERT_EQ(*rig_.get(id(1), 600'000, 10), text(1).substr(600'000, 10));
  EXPECT_EQ(rig_.tier().status().fetch.requests, 1u);
  EXPECT_LT(rig_.tier().status().fetch.bytes, kPartBytes + 1000);
  // Kept for the next.
  ASSERT_EQ(*rig_.get(id(1), 700'000, 10), text(1).substr(700'000, 10));
  EXPECT_EQ(rig_.tier().status().fetch.requests, 1u);
  rig_.set_away(true);
  EXPECT_EQ(*rig_.get(id(1), 600'000, 10), text(1).substr(600'000, 10));
  EXPECT_EQ(rig_.get(id(1), 10, 10).code(), Code::kUnavailable);
}

TEST_F(TierTest, ReadsAheadOfWhoReadsOn) {
  constexpr size_t kSize = 19 * 64 * kKiB;
  ASSERT_TRUE(rig_.put(id(1), text(1, kSize)).ok());
  rig_.upload();
  evict(1, 1);
  for (uint64_t at = 0; at < kSize; at += 64 * kKiB) {
    ASSERT_EQ(*rig_.get(id(1), at, 64 * kKiB), text(1, kSize).substr(at, 64 * kKiB));
  }
  EXPECT_EQ(rig_.tier().status().fetch.requests, 3u);  // 1, 2 and 2 parts
}

// A bucket whose reads wait until it is opened.
class GatedBucket final : public bucket::Bucket {
 public:
  explicit GatedBucket(bucket::Bucket& below) : below_(below) {}

  Status read(const std::string& key, uint64_t offset, MutableBytes into) override {
    {
      const os::Lock lock(mutex_);
      ++reads_;
      changed_.notify_all();
      while (!open_) changed_.wait(mutex_);
    }
    return below_.read(key, offset, into);
  }
  Status put(const std::string& key, std::span<const ByteView> parts) override {
    return below_.put(key, parts);
  }
  Result<std::string> get(const std::string& key, uint64_t limit) override {
    return below_.get(key, limit);
  }
  Result<bucket::ObjectInfo> info(const std::string& key) override { return below_.info(key); }
  Status list(const std::string& prefix,
              const std::function<bool(const bucket::ObjectInfo&)>& visit) override {
    return below_.list(prefix, visit);
  }
  Status remove(const std::string& key) override { return below_.remove(key); }
  Result<size_t> abort_stale_uploads(const std::string& prefix, std::chrono::seconds age) override {
    return below_.abort_stale_uploads(prefix, age);
  }
  void stop() override { below_.stop(); }

  // Opens a while after the first read has come, so that others may come, too.
  void open_later() {
    const os::Lock lock(mutex_);
    while (reads_ == 0) changed_.wait(mutex_);
    const uint64_t before = reads_;
    for (int i = 0; i < 10 && reads_ == before; ++i) {
      changed_.wait_for(mutex_, std::chrono::milliseconds(20));
    }
    open_ = true;
    changed_.notify_all();
  }
  uint64_t reads() {
    const os::Lock lock(mutex_);
    return reads_;
  }

 private:
  bucket::Bucket& below_;
  os::Mutex mutex_;
  os::CondVar changed_;
  uint64_t reads_ GUARDED_BY(mutex_) = 0;
  bool open_ GUARDED_BY(mutex_) = false;
};

TEST_F(TierTest, WhatManyReadAtOnceIsAskedForOnce) {
  put(1, 1);
  rig_.upload();
  const auto location = *rig_.tier().locations().find(id(1));
  evict(1, 1);
  GatedBucket gated(rig_.bucket());
  const PackFormat format{.volume = block::kTestVolume};
  Fetcher fetcher(
      rig_.local(), gated, format, [](BlockId, uint64_t) {}, [](uint64_t) { return true; });
  {
    std::vector<os::Thread> readers;
    for (int i = 0; i < 4; ++i) {
      readers.emplace_back("reader", [&] {
        std::string bytes(1000, '?');
        EXPECT_TRUE(fetcher.read(*location, 5000, as_writable_bytes(bytes)).ok());
        EXPECT_EQ(bytes, text(1).substr(5000, 1000));
      });
    }
    gated.open_later();
  }
  EXPECT_EQ(gated.reads(), 1u);
}

TEST_F(TierTest, FetchesNothingTwiceWhileItIsReadThrough) {
  put(1, 60);  // of 30 MiB
  rig_.upload();
  const uint64_t stored = rig_.tier().status().bucket.live_bytes;
  evict(1, 60);
  for (uint64_t i = 1; i <= 60; ++i) {
    const std::string all = text(i);
    for (uint64_t at = 0; at < kBlock; at += 50'000) {
      ASSERT_EQ(*rig_.get(id(i), at, 50'000), all.substr(at, 50'000));
    }
  }
  EXPECT_LE(rig_.tier().status().fetch.bytes, stored);
}

TEST_F(TierTest, KnowsAfterACrashWhatIsWhere) {
  put(1, 4);
  ASSERT_TRUE(rig_.store().sync().ok());
  rig_.upload();
  evict(1, 2);
  ASSERT_TRUE(rig_.get(id(2), 0, 10).ok());  // a part is there again
  put(5, 6);
  ASSERT_TRUE(rig_.store().sync().ok());
  rig_.crash();
  const TierStatus status = rig_.tier().status();
  EXPECT_EQ(status.local.dirty_blocks, 2u);
  EXPECT_EQ(status.bucket.blocks, 4u);
  expect_all(1, 6);
  rig_.upload();
  evict(1, 6);
  expect_all(1, 6);
}

TEST_F(TierTest, NothingDirtyLeaves) {
  put(1, 3);
  EXPECT_EQ(rig_.tier().evict(id(1)).code(), Code::kBusy);
  rig_.set_away(true);
  uint64_t last = 3;
  Status full;
  while ((full = rig_.put(id(last + 1), text(last + 1))).ok()) ++last;
  EXPECT_EQ(full.code(), Code::kNoSpace);
  EXPECT_THAT(full.error().context(), testing::HasSubstr("the bucket is away"));
  EXPECT_GT(last, 20u);
  expect_all(1, last);
  EXPECT_EQ(rig_.tier().status().local.dirty_blocks, last);
  // When the bucket is back, so is the room.
  rig_.set_away(false);
  rig_.clock().advance(60'000'000'000);
  put(last + 1, last + 10);
  expect_all(1, last + 10);
}

TEST_F(TierTest, SaysThatUploadsArePausedWhenThatFillsTheDevices) {
  rig_.tier().uploader().pause();
  uint64_t last = 0;
  Status full;
  while ((full = rig_.put(id(last + 1), text(last + 1))).ok()) ++last;
  EXPECT_EQ(full.code(), Code::kNoSpace);
  EXPECT_THAT(full.error().context(), testing::HasSubstr("paused"));
  rig_.tier().uploader().resume();
  put(last + 1, last + 5);
}

class SomeStay final : public Staying {
 public:
  const std::unordered_set<BlockId>& blocks() const override { return all; }
  bool knows(BlockId block) const override { return !unknown.contains(block); }

  std::unordered_set<BlockId> all = {};
  std::unordered_set<BlockId> unknown = {};
};

TEST_F(TierTest, KeepsWhatIsToStay) {
  put(1, 5);
  rig_.upload();
  const auto staying = std::make_shared<SomeStay>();
  for (uint64_t i = 1; i <= 3; ++i) staying->all.insert(id(i));
  staying->unknown = {id(4)};
  rig_.set_staying(staying);
  ASSERT_TRUE(rig_.tier().make_room(rig_.local().space().capacity_bytes - 8 * kMiB));
  EXPECT_FALSE(rig_.tier().make_room(rig_.local().space().capacity_bytes));
  for (uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(rig_.local().info(id(i)).ok(), i <= 4) << i;
  staying->unknown.clear();
  EXPECT_FALSE(rig_.tier().make_room(rig_.local().space().capacity_bytes));
  EXPECT_FALSE(rig_.local().info(id(4)).ok());
}

// Writers wait for uploads as long as these make room, and do not fail after.
TEST_F(TierTest, WhatIsToStayLeavesBeforeAWriteFails) {
  put(1, 5);
  rig_.upload();
  const auto staying = std::make_shared<SomeStay>();
  for (uint64_t i = 1; i <= 5; ++i) staying->all.insert(id(i));
  rig_.set_staying(staying);
  put(6, 90);
  for (uint64_t i = 1; i <= 5; ++i) EXPECT_TRUE(rig_.local().info(id(i)).ok()) << i;
  for (uint64_t i = 6; i <= 90; ++i) staying->all.insert(id(i));
  put(91, 150);
  for (uint64_t i = 91; i <= 150; ++i) staying->all.insert(id(i));
  put(151, 200);
  expect_all(1, 200);
}

TEST_F(TierTest, MendsABlockThatRottedOnTheDevice) {
  put(1, 1);
  ASSERT_TRUE(rig_.store().sync().ok());
  rig_.upload();
  ASSERT_TRUE(rig_.local().devices()[0]->flip(id(1), 0, 500'000, 3).ok());
  expect_all(1, 1);
  EXPECT_GT(rig_.tier().status().fetch.requests, 0u);
  const uint64_t requests = rig_.tier().status().fetch.requests;
  expect_all(1, 1);
  EXPECT_EQ(rig_.tier().status().fetch.requests, requests);
}

TEST_F(TierTest, MendsAPartThatRottedOnTheDevice) {
  put(1, 1);
  rig_.upload();
  evict(1, 1);
  expect_all(1, 1);
  ASSERT_TRUE(rig_.store().sync().ok());
  ASSERT_TRUE(rig_.local().devices()[0]->flip(id(1), 1, 1000, 3).ok());
  expect_all(1, 1);
}

TEST_F(TierTest, OneRottenDirtyBlockDoesNotHoldUpTheOthers) {
  put(1, 3);
  ASSERT_TRUE(rig_.store().sync().ok());
  ASSERT_TRUE(rig_.local().devices()[0]->flip(id(2), 0, 500'000, 3).ok());
  rig_.upload();
  EXPECT_EQ(rig_.tier().status().upload.damaged_blocks, 1u);
  EXPECT_EQ(rig_.tier().status().bucket.blocks, 2u);
  evict(1, 1);
  expect_all(1, 1);
  EXPECT_EQ(rig_.get(id(2), 0, kBlock).code(), Code::kCorrupt);
  EXPECT_TRUE(rig_.get(id(2), 0, 1000).ok());
}

TEST_F(TierTest, NeverTrustsTheBucket) {
  put(1, 1);
  rig_.upload();
  evict(1, 1);
  rig_.bucket().damage_next_reads(1, bucket::Damage::kFlip);
  expect_all(1, 1);  // asked twice
  EXPECT_EQ(rig_.tier().status().fetch.damaged_answers, 1u);
  evict(1, 1);
  rig_.bucket().damage_next_reads(UINT64_MAX, bucket::Damage::kFlip);
  EXPECT_EQ(rig_.get(id(1), 0, kBlock).code(), Code::kCorrupt);
  rig_.bucket().damage_next_reads(0, bucket::Damage::kFlip);
  expect_all(1, 1);
}

TEST_F(TierTest, ARefusalIsNoMatterOfWhoReads) {
  put(1, 1);
  rig_.upload();
  evict(1, 1);
  for (const auto& [refused, read] :
       {std::pair(Code::kAccess, Code::kIo), std::pair(Code::kInvalid, Code::kIo),
        std::pair(Code::kTimeout, Code::kUnavailable),
        std::pair(Code::kNotFound, Code::kCorrupt)}) {
    rig_.bucket().fail_next(Operation::kRead, 1, Error(refused, "because"));
    const auto bytes = rig_.get(id(1), 0, 10);
    EXPECT_EQ(bytes.code(), read);
    EXPECT_THAT(bytes.error().context(), testing::HasSubstr("because"));
  }
}

TEST_F(TierTest, TriesAnUploadAgainLaterAndLater) {
  put(1, 1);
  rig_.set_away(true);
  Uploader& uploader = rig_.tier().uploader();
  uploader.flush();
  EXPECT_EQ(uploader.step().code(), Code::kUnavailable);
  EXPECT_FALSE(*uploader.step());  // not yet
  rig_.clock().advance(1'100'000'000);
  EXPECT_EQ(uploader.step().code(), Code::kUnavailable);
  rig_.clock().advance(1'100'000'000);
  EXPECT_FALSE(*uploader.step());
  EXPECT_THAT(uploader.status().trouble, testing::HasSubstr("away"));
  rig_.set_away(false);
  rig_.clock().advance(1'000'000'000);
  EXPECT_TRUE(*uploader.step());
  EXPECT_EQ(uploader.status().trouble, "");
}

TEST_F(TierTest, WaitsForOthersToFillAPack) {
  put(1, 1);
  Uploader& uploader = rig_.tier().uploader();
  EXPECT_FALSE(*uploader.step());
  rig_.clock().advance(9'000'000'000);
  EXPECT_FALSE(*uploader.step());
  rig_.clock().advance(2'000'000'000);
  EXPECT_TRUE(*uploader.step());
}

TEST_F(TierTest, AForgottenBlockTakesItsPackAlong) {
  put(1, 3);
  rig_.upload();
  for (uint64_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(rig_.tier().status().bucket.dead_packs, 0u);
    ASSERT_TRUE(rig_.store().remove(id(i)).ok());
  }
  const TierStatus status = rig_.tier().status();
  EXPECT_EQ(status.bucket.dead_packs, 1u);
  EXPECT_EQ(status.bucket.live_bytes, 0u);
  EXPECT_EQ(status.local.clean_bytes, 0u);
}

TEST_F(TierTest, SaysUpToWhichBatchAllIsInTheBucket) {
  EXPECT_EQ(rig_.tier().settled_batch(), 1u);
  put(1, 1);
  rig_.next_batch();
  put(2, 2);
  rig_.next_batch();
  EXPECT_EQ(rig_.tier().settled_batch(), 1u);
  rig_.upload();
  EXPECT_EQ(rig_.tier().settled_batch(), 3u);
}

}  // namespace
}  // namespace nacre::tier
