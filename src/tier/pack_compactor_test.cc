#include "tier/pack_compactor.h"

#include <gmock/gmock.h>

#include "tier/tier_under_test.h"
#include "wire/bucket_names.h"

namespace nacre::tier {
namespace {

using bucket::Operation;

constexpr size_t kBlock = 300'000;

BlockId id(uint64_t number) { return {number, number}; }
std::string text(uint64_t number, size_t size = kBlock) { return text_of(id(number), size); }

class CompactTest : public testing::Test {
 protected:
  CompactTest() {
    format_.volume = block::kTestVolume;
    make_compactor();
  }
  void make_compactor() {
    compactor_ = std::make_unique<PackCompactor>(
        PackCompactor::Parts{.local = rig_.local(),
                             .bucket = rig_.bucket(),
                             .locations = rig_.tier().locations(),
                             .clock = rig_.clock(),
                             .random = random_,
                             .last_batch = [] { return uint64_t{5}; },
                             .may_write = [this] { return may_write_; },
                             .must_wait = [this] { return must_wait_; }},
        format_,
        CompactOptions{.pack_bytes = 4 * kMiB, .sweep_every_ns = 1000, .background = false});
  }
  void put(uint64_t first, uint64_t last, size_t size = kBlock) {
    for (uint64_t i = first; i <= last; ++i) {
      ASSERT_TRUE(rig_.put(id(i), text(i, size)).ok());
      sizes_[i] = size;
    }
  }
  // In a pack of their own, and on no device any more.
  void pack(uint64_t first, uint64_t last, size_t size = kBlock) {
    put(first, last, size);
    ASSERT_NO_FATAL_FAILURE(rig_.upload());
    evict_all();
  }
  void evict_all() {
    for (const auto& [number, size] : sizes_) (void)rig_.tier().evict(id(number));
  }
  void remove(uint64_t first, uint64_t last) {
    for (uint64_t i = first; i <= last; ++i) {
      ASSERT_TRUE(rig_.tier().remove(id(i)).ok());
      sizes_.erase(i);
    }
  }
  void expect_all() {
    evict_all();
    for (const auto& [number, size] : sizes_) {
      const auto bytes = rig_.get(id(number), 0, size);
      ASSERT_TRUE(bytes.ok()) << number << ": " << bytes.error().to_string();
      EXPECT_TRUE(*bytes == text(number, size)) << number;
    }
  }
  bool step() {
    const auto stepped = compactor_->step();
    EXPECT_TRUE(stepped.ok()) << stepped.error().to_string();
    return stepped.ok() && *stepped;
  }
  void compact() {
    for (int steps = 0; step(); ++steps) ASSERT_LT(steps, 1000) << "it does not end";
  }
  // As the shipper does once the bucket has the rows.
  void remove_dead_packs() {
    Locations& locations = rig_.tier().locations();
    const auto dead = locations.dead(UINT64_MAX, 1000);
    for (const wire::PackId pack : *dead) {
      ASSERT_TRUE(rig_.bucket().remove(wire::pack_object_name(pack)).ok());
      ASSERT_TRUE(locations.forget_dead(pack).ok());
    }
  }
  BucketTotals totals() { return rig_.tier().locations().totals(); }
  uint64_t objects() {
    uint64_t count = 0;
    (void)rig_.bucket().list("packs/", [&](const bucket::ObjectInfo&) { return ++count > 0; });
    return count;
  }
  // What the totals say is what the rows add up to.
  void expect_sound() {
    const BucketTotals before = totals();
    ASSERT_TRUE(rig_.tier().locations().open().ok());
    const BucketTotals after = totals();
    EXPECT_EQ(before.packs, after.packs);
    EXPECT_EQ(before.object_bytes, after.object_bytes);
    EXPECT_EQ(before.live_bytes, after.live_bytes);
    EXPECT_EQ(before.blocks, after.blocks);
    EXPECT_EQ(before.blocks, sizes_.size());
    EXPECT_EQ(before.dead_packs, after.dead_packs);
  }

  TierUnderTest rig_;
  PackFormat format_;
  os::SeededRandom random_{5};
  Status may_write_;
  bool must_wait_ = false;
  std::unique_ptr<PackCompactor> compactor_;
  std::map<uint64_t, size_t> sizes_;
};

TEST_F(CompactTest, APackOfWhichLittleLivesIsWrittenAnew) {
  pack(1, 20);
  remove(1, 15);
  const uint64_t before = totals().object_bytes;
  ASSERT_NO_FATAL_FAILURE(compact());
  EXPECT_LT(totals().object_bytes, before / 3);
  EXPECT_EQ(totals().dead_packs, 1u);
  EXPECT_EQ(objects(), 2u);  // the old one is there until rows lead nobody to it
  expect_sound();
  remove_dead_packs();
  EXPECT_EQ(objects(), 1u);
  expect_all();
}

TEST_F(CompactTest, APackThatIsMostlyAliveStays) {
  pack(1, 20);
  remove(1, 8);
  EXPECT_FALSE(step());
  EXPECT_EQ(objects(), 1u);
}

TEST_F(CompactTest, BlocksOnTheDevicesAreNotReadFromTheBucket) {
  put(1, 20);
  rig_.upload();
  remove(1, 15);
  ASSERT_NO_FATAL_FAILURE(compact());
  EXPECT_EQ(rig_.bucket().calls(Operation::kRead), 0u);
  remove_dead_packs();
  expect_all();
}

TEST_F(CompactTest, BlocksCloseTogetherAreReadByOneRequest) {
  pack(1, 200, 3000);
  for (uint64_t i = 1; i <= 200; i += 20) remove(i, i + 15);
  ASSERT_NO_FATAL_FAILURE(compact());
  EXPECT_LE(rig_.bucket().calls(Operation::kRead), 3u);
  EXPECT_GE(compactor_->status().packs_written, 1u);
  expect_all();
}

TEST_F(CompactTest, ManySmallPacksBecomeOne) {
  for (uint64_t i = 1; i <= 8; ++i) pack(i, i, 40'000);
  EXPECT_EQ(totals().packs, 8u);
  ASSERT_NO_FATAL_FAILURE(compact());
  EXPECT_EQ(totals().packs, 1u);
  remove_dead_packs();
  EXPECT_EQ(objects(), 1u);
  expect_sound();
  expect_all();
}

TEST_F(CompactTest, WhatWasRemovedOrMovedMeanwhileStaysSo) {
  pack(1, 2);
  Locations& locations = rig_.tier().locations();
  const auto from = *locations.find(id(1));
  const auto stays = *locations.find(id(2));
  remove(1, 1);
  wire::PackedBlock copied = from->block;
  copied.offset_bytes = 64;
  const StoredPack late{.id = {9, 9}, .object_bytes = 1000, .blocks = {copied}};
  ASSERT_TRUE(locations.move(late, {*from}, 7).ok());
  EXPECT_FALSE(locations.find(id(1))->has_value());
  EXPECT_EQ(*locations.find(id(2)), stays);
  EXPECT_EQ(locations.dead(7, 10)->size(), 1u);
  EXPECT_EQ(locations.dead(6, 10)->size(), 0u);
  expect_sound();
}

TEST_F(CompactTest, PacksThatNoRowKnowsAreRemoved) {
  pack(1, 3);
  const ByteView bytes = as_bytes("left behind");
  const std::string orphan = wire::pack_object_name({7, 7});
  const std::string coming = wire::pack_object_name({8, 8});
  const std::string foreign = "packs/notes.txt";
  for (const std::string& key : {orphan, coming, foreign}) {
    ASSERT_TRUE(rig_.bucket().put(key, {&bytes, 1}).ok());
  }
  {
    const PackOnItsWay on_its_way(rig_.tier().locations(), {8, 8});
    EXPECT_TRUE(step());
    EXPECT_EQ(rig_.bucket().info(orphan).code(), Code::kNotFound);
    EXPECT_TRUE(rig_.bucket().info(coming).ok());
  }
  EXPECT_FALSE(step());  // the next sweep is not due
  rig_.clock().advance(1000);
  EXPECT_TRUE(step());
  EXPECT_EQ(rig_.bucket().info(coming).code(), Code::kNotFound);
  EXPECT_TRUE(rig_.bucket().info(foreign).ok());
  EXPECT_EQ(compactor_->status().orphans_removed, 2u);
  expect_all();
}

TEST_F(CompactTest, WhoMayNotWriteChangesNothing) {
  pack(1, 20);
  remove(1, 15);
  may_write_ = Error(Code::kAccess, "recovered elsewhere");
  EXPECT_EQ(compactor_->step().code(), Code::kAccess);
  EXPECT_THAT(compactor_->status().trouble, testing::HasSubstr("recovered elsewhere"));
  may_write_ = {};
  must_wait_ = true;
  EXPECT_FALSE(step());
  EXPECT_EQ(objects(), 1u);
  must_wait_ = false;
  EXPECT_TRUE(step());
  EXPECT_EQ(compactor_->status().trouble, "");
}

TEST_F(CompactTest, WhatReadsBackOtherwiseReplacesNothing) {
  put(1, 20);
  rig_.upload();
  remove(1, 15);
  rig_.bucket().damage_next_reads(1, bucket::Damage::kFlip);
  EXPECT_EQ(compactor_->step().code(), Code::kCorrupt);
  EXPECT_EQ(totals().dead_packs, 0u);
  EXPECT_EQ(objects(), 2u);
  // The next time it is found to be nobody's.
  ASSERT_NO_FATAL_FAILURE(compact());
  remove_dead_packs();
  EXPECT_EQ(objects(), 1u);
  expect_all();
}

TEST_F(CompactTest, APackThatCannotBeReadDoesNotHoldUpOthers) {
  pack(1, 20);
  const wire::PackId lost = (*rig_.tier().locations().find(id(20)))->pack;
  pack(21, 40);
  remove(1, 15);
  remove(21, 35);
  ASSERT_TRUE(rig_.bucket().remove(wire::pack_object_name(lost)).ok());
  ASSERT_NO_FATAL_FAILURE(compact());
  EXPECT_EQ(compactor_->status().damaged_packs, 1u);
  EXPECT_EQ(compactor_->status().packs_written, 1u);
  EXPECT_EQ((*rig_.tier().locations().find(id(20)))->pack, lost);
  for (uint64_t i = 16; i <= 20; ++i) sizes_.erase(i);
  remove_dead_packs();
  expect_all();
}

// Whatever is put and removed, in blocks of all sizes: it comes to an end, and then no more than
// about half of the bucket is dead.
TEST_F(CompactTest, EndsWithABucketThatIsMostlyAlive) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    os::SeededRandom random(seed);
    uint64_t next = seed * 1000;
    for (int round = 0; round < 6; ++round) {
      const size_t largest = size_t{1} << (random.next() % 19);
      for (uint64_t i = random.next() % 30; i > 0; --i, ++next) {
        ASSERT_NO_FATAL_FAILURE(put(next, next, random.next() % (largest + 1)));
      }
      ASSERT_NO_FATAL_FAILURE(rig_.upload());
      if (random.next() % 2 == 0) evict_all();
      for (auto each = sizes_.begin(); each != sizes_.end();) {
        const uint64_t number = (each++)->first;
        if (random.next() % 3 > 0) remove(number, number);
      }
      rig_.clock().advance(random.next() % 2000);
      if (random.next() % 2 == 0) compact();
      ASSERT_FALSE(HasFatalFailure());
    }
    ASSERT_NO_FATAL_FAILURE(compact());
    remove_dead_packs();
    expect_sound();
    EXPECT_EQ(objects(), totals().packs);
    const uint64_t unavoidable = totals().blocks * 200 + totals().packs * 1000;
    EXPECT_LE(totals().object_bytes, 3 * totals().live_bytes + unavoidable) << seed;
    ASSERT_NO_FATAL_FAILURE(expect_all());
  }
}

}  // namespace
}  // namespace nacre::tier
