// Volumes with a bucket, on a simulated disk and a bucket in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/test_machine.h"

namespace nacre::node {
namespace {

using bucket::Operation;
using testing::HasSubstr;

class TieredVolumeTest : public testing::Test {
 protected:
  bucket::MemoryBucket bucket_;
  Machine here_{bucket_, 1};
  Machine there_{bucket_, 2};
};

TEST_F(TieredVolumeTest, WhatIsEvictedIsReadFromTheBucket) {
  ASSERT_TRUE(here_.create().ok());
  here_.open();
  here_.write("a", noise(1, 500'000));
  here_.write("b", "small");
  ASSERT_TRUE(here_.commit().ok());
  ASSERT_TRUE(here_.upload().ok());
  here_.evict_all();
  here_.expect_files(here_.files());
  EXPECT_GT(here_.directory().tiered()->tier().status().fetch.requests, 0u);
  here_.close();
  here_.open();
  here_.expect_files(here_.files());
}

TEST_F(TieredVolumeTest, WhatWasReadOftenIsKnownWhenItIsOpenedAgain) {
  ASSERT_TRUE(here_.create().ok());
  here_.open();
  here_.write("a", noise(1, 500'000));
  here_.write("b", noise(2, 500'000));
  ASSERT_TRUE(here_.commit().ok());
  ASSERT_TRUE(here_.upload().ok());
  ASSERT_TRUE(here_.read("b").ok());
  const auto heat = here_.directory().tiered()->tier().heat();
  EXPECT_FALSE(heat.empty());
  EXPECT_LT(heat.size(), here_.directory().tiered()->tier().status().local.clean_blocks);
  here_.close();
  here_.open();
  EXPECT_EQ(here_.directory().tiered()->tier().heat(), heat);
  here_.close();
  {
    const auto file = here_.host().files.open(std::string(Machine::kPath) + "/nacre.heat",
                                              os::OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok() && (*file)->write_at(20, as_bytes(std::string_view("?"))).ok());
  }
  here_.open();
  EXPECT_TRUE(here_.directory().tiered()->tier().heat().empty());
  here_.expect_files(here_.files());
}

TEST_F(TieredVolumeTest, IsRecoveredFromTheBucketAlone) {
  ASSERT_TRUE(here_.create().ok());
  here_.open();
  here_.write("a", noise(1, 500'000));
  ASSERT_TRUE(here_.commit().ok());
  ASSERT_TRUE(here_.upload().ok());
  here_.write("b", noise(2, 300'000));
  here_.remove("a");
  here_.write("c", "small");
  ASSERT_TRUE(here_.commit().ok());
  ASSERT_TRUE(here_.upload().ok());
  const auto files = here_.files();
  here_.write("late", noise(3, 200'000));
  ASSERT_TRUE(here_.commit().ok());  // and lost: never uploaded

  const auto recovered = there_.recover();
  ASSERT_TRUE(recovered.ok()) << recovered.error().to_string();
  there_.open();
  there_.expect_files(files);
  EXPECT_EQ(there_.read("a").code(), Code::kNotFound);
  EXPECT_EQ(there_.read("late").code(), Code::kNotFound);
  // It goes on there, and no longer here.
  there_.write("d", noise(4, 100'000));
  ASSERT_TRUE(there_.commit().ok());
  ASSERT_TRUE(there_.upload().ok());
  EXPECT_EQ(here_.upload().code(), Code::kAccess);
}

TEST_F(TieredVolumeTest, NothingOfASealedOneCanBeReadInTheBucket) {
  const BucketSecret secret{.passphrase = "correct horse"};
  ASSERT_TRUE(here_.create(secret).ok());
  here_.open();
  std::string text;
  while (text.size() < 300'000) text += "PLAINTEXT ";
  here_.write("SECRETNAME", text);
  ASSERT_TRUE(here_.commit().ok());
  ASSERT_TRUE(here_.upload().ok());
  size_t objects = 0;
  ASSERT_TRUE(bucket_
                  .list("",
                        [&](const bucket::ObjectInfo& info) {
                          ++objects;
                          const std::string bytes = *bucket_.get(info.key, kGiB);
                          EXPECT_THAT(bytes, testing::Not(HasSubstr("PLAINTEXT"))) << info.key;
                          EXPECT_THAT(bytes, testing::Not(HasSubstr("SECRETNAME"))) << info.key;
                          return true;
                        })
                  .ok());
  EXPECT_GE(objects, 5u);
  EXPECT_EQ(there_.recover({.passphrase = "battery staple"}).code(), Code::kAccess);
  EXPECT_EQ(there_.recover().code(), Code::kInvalid);
  ASSERT_TRUE(there_.recover(secret).ok());
  there_.open();
  there_.expect_files(here_.files());
}

TEST_F(TieredVolumeTest, ABucketThatIsNotSealedIsRefusedToWhoExpectsThat) {
  ASSERT_TRUE(here_.create().ok());
  EXPECT_EQ(there_.recover({.passphrase = "correct horse"}).code(), Code::kAccess);
}

TEST_F(TieredVolumeTest, ABucketHoldsOneVolume) {
  ASSERT_TRUE(here_.create().ok());
  const auto second = there_.create();
  EXPECT_EQ(second.code(), Code::kExists);
  EXPECT_THAT(second.error().context(), HasSubstr("already"));
  EXPECT_EQ(there_.try_open().code(), Code::kNotFound);  // nothing is left of it
  EXPECT_EQ(there_.recover().code(), Code::kNotFound);   // nothing was uploaded yet
}

TEST_F(TieredVolumeTest, OpenedReadOnlyItFetchesAndKeepsNothing) {
  ASSERT_TRUE(here_.create().ok());
  here_.open();
  here_.write("a", noise(1, 500'000));
  ASSERT_TRUE(here_.commit().ok());
  ASSERT_TRUE(here_.upload().ok());
  here_.evict_all();
  here_.close();
  here_.open(true);
  here_.expect_files(here_.files());
  EXPECT_EQ(here_.directory().tiered()->tier().status().local.clean_bytes, 0u);
}

// Whatever call to the bucket is the last one before the power goes, and whether it was done: what
// was committed is there, uploads go on, and what is recovered afterwards is the same.
TEST_F(TieredVolumeTest, SurvivesAPowerCutAtEveryStepOfUploading) {
  for (const bucket::Effect effect : {bucket::Effect::kNone, bucket::Effect::kDone}) {
    for (const Operation operation : {Operation::kPut, Operation::kRemove, Operation::kGet}) {
      for (uint64_t call = 0; call < 6; ++call) {
        bucket::MemoryBucket bucket;
        Machine here(bucket, 10 + call);
        ASSERT_TRUE(here.create().ok());
        here.open();
        here.write("a", noise(call, 150'000));
        ASSERT_TRUE(here.commit().ok());
        ASSERT_TRUE(here.upload().ok());
        here.remove("a");
        here.write("b", noise(call + 100, 200'000));
        here.write("c", "small");
        ASSERT_TRUE(here.commit().ok());
        bucket.fail_from(operation, call, Error(Code::kUnavailable, "cut"), effect);
        (void)here.upload();
        here.crash();
        bucket.fail_next(operation, 0, Error(Code::kUnavailable));
        here.open();
        here.expect_files(here.files());
        here.write("d", noise(call + 200, 100'000));
        ASSERT_TRUE(here.commit().ok());
        const Status uploaded = here.upload();
        ASSERT_TRUE(uploaded.ok()) << uploaded.error().to_string();
        here.evict_all();
        here.expect_files(here.files());

        Machine there(bucket, 20);
        const auto recovered = there.recover();
        ASSERT_TRUE(recovered.ok()) << recovered.error().to_string();
        there.open();
        there.expect_files(here.files());
        EXPECT_EQ(there.read("a").code(), Code::kNotFound);
      }
    }
  }
}

size_t packs_in(bucket::Bucket& bucket) {
  size_t packs = 0;
  (void)bucket.list("packs/", [&](const bucket::ObjectInfo&) { return ++packs > 0; });
  return packs;
}

TEST_F(TieredVolumeTest, WhatIsPrunedFreesTheBucket) {
  ASSERT_TRUE(here_.create().ok());
  here_.open();
  for (int i = 0; i < 20; ++i) here_.write(std::to_string(i), noise(i, 100'000));
  ASSERT_TRUE(here_.commit().ok());
  ASSERT_TRUE(here_.upload().ok());
  const uint64_t full = here_.directory().tiered()->tier().status().bucket.object_bytes;
  for (int i = 2; i < 20; ++i) here_.remove(std::to_string(i));
  ASSERT_TRUE(here_.prune().ok());
  ASSERT_TRUE(here_.upload().ok());
  ASSERT_TRUE(here_.compact().ok());
  EXPECT_LT(here_.directory().tiered()->tier().status().bucket.object_bytes, full / 5);
  EXPECT_EQ(packs_in(bucket_), 1u);
  here_.evict_all();
  here_.expect_files(here_.files());
  here_.expect_sound();
}

TEST_F(TieredVolumeTest, WhatIsPinnedStaysWithWhatComesBelowItLater) {
  ASSERT_TRUE(here_.create().ok());
  here_.open();
  for (const char* name : {"a", "b", "c"}) here_.write(name, noise(name[0], 200'000));
  ASSERT_TRUE(here_.commit().ok());
  ASSERT_TRUE(here_.upload().ok());
  TieredBlocks& tiered = *here_.directory().tiered();
  EXPECT_EQ(tiered.pins().blocks(), nullptr);
  const InodeId a = fs::LiveTree(here_.directory().volume()).lookup(kRootInode, "a")->attr.ino;
  ASSERT_TRUE(tiered.pins().add({a, "/a"}).ok());
  const size_t of_a = tiered.pins().blocks()->blocks().size();
  EXPECT_EQ(of_a, 4u);  // of 64 KiB
  ASSERT_TRUE(tiered.pins().add({kRootInode, "/"}).ok());
  EXPECT_EQ(tiered.pins().blocks()->blocks().size(), 3 * of_a);
  here_.write("later", noise(1, 200'000));
  ASSERT_TRUE(here_.commit().ok());
  here_.clock().advance(10'000'000'000);
  EXPECT_EQ(tiered.pins().blocks()->blocks().size(), 4 * of_a);
  ASSERT_TRUE(here_.upload().ok());
  here_.close();

  here_.open();
  tier::TierStore& tier = here_.directory().tiered()->tier();
  const uint64_t clean = tier.status().local.clean_blocks;
  EXPECT_FALSE(tier.make_room(kGiB));
  EXPECT_EQ(tier.status().local.clean_blocks, clean);
  EXPECT_TRUE(*here_.directory().tiered()->pins().remove(kRootInode));
  EXPECT_FALSE(*here_.directory().tiered()->pins().remove(kRootInode));
  EXPECT_EQ(here_.directory().tiered()->pins().blocks()->blocks().size(), of_a);
  EXPECT_FALSE(tier.make_room(kGiB));
  EXPECT_EQ(tier.status().local.clean_blocks, of_a);
  here_.expect_sound();
  here_.expect_files(here_.files());
}

// As before, while packs are written anew, swept and removed.
TEST_F(TieredVolumeTest, SurvivesAPowerCutAtEveryStepOfCompaction) {
  for (const bucket::Effect effect : {bucket::Effect::kNone, bucket::Effect::kDone}) {
    for (const Operation operation : {Operation::kPut, Operation::kRemove, Operation::kGet,
                                      Operation::kRead, Operation::kList}) {
      for (uint64_t call = 0;; ++call) {
        bucket::MemoryBucket bucket;
        Machine here(bucket, 10 + call);
        ASSERT_TRUE(here.create().ok());
        here.open();
        for (int i = 0; i < 6; ++i) here.write(std::to_string(i), noise(i + call, 70'000));
        ASSERT_TRUE(here.commit().ok());
        ASSERT_TRUE(here.upload().ok());
        here.evict_all();
        for (int i = 1; i < 6; ++i) here.remove(std::to_string(i));
        ASSERT_TRUE(here.prune().ok());
        ASSERT_TRUE(here.upload().ok());
        bucket.fail_from(operation, call, Error(Code::kUnavailable, "cut"), effect);
        const bool done = here.compact().ok();
        here.crash();
        bucket.fail_next(operation, 0, Error(Code::kUnavailable));
        here.open();
        here.evict_all();
        here.expect_files(here.files());
        here.write("d", noise(call + 200, 100'000));
        ASSERT_TRUE(here.commit().ok());
        ASSERT_TRUE(here.upload().ok());
        const Status compacted = here.compact();
        ASSERT_TRUE(compacted.ok()) << compacted.error().to_string();
        here.evict_all();
        here.expect_files(here.files());
        here.expect_sound();
        EXPECT_EQ(packs_in(bucket), here.directory().tiered()->tier().status().bucket.packs);

        Machine there(bucket, 20);
        const auto recovered = there.recover();
        ASSERT_TRUE(recovered.ok()) << recovered.error().to_string();
        there.open();
        there.expect_files(here.files());
        there.expect_sound();
        if (done) break;
        ASSERT_LT(call, 100u);
      }
    }
  }
}

// Whatever is the last thing that a recovery does: what is there then is the whole volume or none,
// and another attempt succeeds.
class RecoveryCutTest : public TieredVolumeTest {
 protected:
  // `cut` arranges for the cut. False when the recovery came to its end before.
  static bool is_cut(uint64_t seed,
                     const std::function<void(bucket::MemoryBucket&, Machine&)>& cut) {
    bucket::MemoryBucket bucket;
    Machine here(bucket, 1);
    EXPECT_TRUE(here.create().ok());
    here.open();
    for (int i = 0; i < 3; ++i) {
      here.write(std::to_string(i), noise(seed + i, 90'000));
      EXPECT_TRUE(here.commit().ok());
      EXPECT_TRUE(here.upload().ok());
    }
    Machine there(bucket, 2);
    cut(bucket, there);
    const bool done = there.recover().ok();
    there.crash();
    for (const Operation operation : kOperations) {
      bucket.fail_next(operation, 0, Error(Code::kUnavailable));
    }
    if (!there.try_open().ok()) {
      EXPECT_FALSE(done);
      // What an attempt leaves that was cut off is in the way.
      const auto recovered = there.recover({}, true);
      if (!recovered.ok()) {
        ADD_FAILURE() << recovered.error().to_string();
        return false;
      }
      there.open();
    }
    there.expect_files(here.files());
    there.expect_sound();
    return !done;
  }

  static constexpr Operation kOperations[] = {Operation::kPut, Operation::kGet, Operation::kList,
                                              Operation::kInfo, Operation::kRemove};
};

TEST_F(RecoveryCutTest, OfTheBucketAtEveryCall) {
  for (const bucket::Effect effect : {bucket::Effect::kNone, bucket::Effect::kDone}) {
    for (const Operation operation : kOperations) {
      uint64_t call = 0;
      while (is_cut(call, [&](bucket::MemoryBucket& bucket, Machine&) {
        bucket.fail_from(operation, call, Error(Code::kUnavailable, "cut"), effect);
      })) {
        ASSERT_LT(++call, 100u);
        ASSERT_FALSE(HasFailure()) << call;
      }
    }
  }
}

TEST_F(RecoveryCutTest, OfThePowerAtStepsOnTheDisk) {
  uint64_t step = 1;
  while (is_cut(step,
                [&](bucket::MemoryBucket&, Machine& there) { there.disk().crash_after(step); })) {
    ASSERT_FALSE(HasFailure()) << step;
    step += 1 + step / 16;
    ASSERT_LT(step, 5000u);
  }
}

}  // namespace
}  // namespace nacre::node
