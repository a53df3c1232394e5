// Changing and destroying volumes with a bucket, on a simulated disk and a bucket in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/change_secret.h"
#include "node/destroy_volume.h"
#include "node/service.h"
#include "node/test_machine.h"
#include "node/volume_paths.h"
#include "wire/bucket_names.h"

namespace nacre::node {
namespace {

using bucket::Effect;
using bucket::Operation;
using testing::HasSubstr;

constexpr Operation kAllOperations[] = {Operation::kPut,  Operation::kRead, Operation::kGet,
                                        Operation::kInfo, Operation::kList, Operation::kRemove};

class SilentEvents final : public Events {
 public:
  bool progress(const Progress&) override { return true; }
  bool item(Json) override { return true; }
};

// `body` with a bucket whose calls of one kind fail from the nth on, for each kind, each n and both
// effects, until none fails any more. `body` returns whether one did.
void with_every_cut(
    const std::function<bool(bucket::MemoryBucket& bucket, const std::function<void()>& cut,
                             const std::function<void()>& mend)>& body) {
  for (const Effect effect : {Effect::kNone, Effect::kDone}) {
    for (const Operation operation : kAllOperations) {
      for (uint64_t call = 0;; ++call) {
        SCOPED_TRACE(testing::Message() << "operation " << static_cast<int>(operation) << " call "
                                        << call << " effect " << static_cast<int>(effect));
        bucket::MemoryBucket bucket;
        const bool failed = body(
            bucket,
            [&] { bucket.fail_from(operation, call, Error(Code::kUnavailable, "cut"), effect); },
            [&] { bucket.fail_next(operation, 0, Error(Code::kUnavailable)); });
        if (testing::Test::HasFatalFailure() || !failed) break;
      }
    }
  }
}

uint64_t objects_in(bucket::Bucket& bucket) {
  uint64_t count = 0;
  EXPECT_TRUE(bucket
                  .list("",
                        [&](const bucket::ObjectInfo&) {
                          ++count;
                          return true;
                        })
                  .ok());
  return count;
}

// A volume with files, all of it in the bucket, and closed.
void make_filled(Machine& machine, const BucketSecret& secret = {}) {
  ASSERT_TRUE(machine.create(secret).ok());
  machine.open();
  machine.write("a", noise(1, 300'000));
  machine.write("b", "small");
  ASSERT_TRUE(machine.commit().ok());
  ASSERT_TRUE(machine.upload().ok());
  machine.close();
}

class ManageVolumeTest : public testing::Test {
 protected:
  Result<Json> set(const Json& arguments) {
    SilentEvents events;
    return Service(here_.directory(), nullptr).handle({"volume_set", arguments}, events);
  }
  static Result<DestroyedVolume> destroy(Machine& machine, DestroyOptions options) {
    options.connect = machine.connect();
    return destroy_volume(machine.host(), Machine::kPath, options, {});
  }

  bucket::MemoryBucket bucket_;
  Machine here_{bucket_, 1};
  Machine there_{bucket_, 2};
};

TEST_F(ManageVolumeTest, SettingsHoldAtOnceAndWhenItIsOpenedAgain) {
  ASSERT_TRUE(here_.create().ok());
  here_.open();
  const auto set_all = set({{"cache_bytes", 200 * kMiB},
                            {"offline", "wait"},
                            {"sync_remote", "yes"},
                            {"credentials_file", "/etc/key.toml"}});
  ASSERT_TRUE(set_all.ok()) << set_all.error().to_string();
  for (const bool reopened : {false, true}) {
    if (reopened) {
      here_.crash();
      here_.open();
    }
    const RemoteSettings settings = here_.directory().tiered()->settings();
    EXPECT_EQ(settings.cache_bytes, 200 * kMiB);
    EXPECT_TRUE(settings.wait_while_away);
    EXPECT_TRUE(settings.sync_remote);
    EXPECT_EQ(settings.credentials_file, "/etc/key.toml");
  }
  // What is not given stays.
  ASSERT_TRUE(set({{"sync_remote", "no"}}).ok());
  EXPECT_FALSE(here_.directory().tiered()->settings().sync_remote);
  EXPECT_TRUE(here_.directory().tiered()->settings().wait_while_away);
}

TEST_F(ManageVolumeTest, ASmallerCacheIsReachedByEvicting) {
  Machine large(bucket_, 3, 128 * kMiB);
  ASSERT_TRUE(large.create().ok());
  large.open();
  for (int i = 0; i < 10; ++i) {
    large.write("file" + std::to_string(i), noise(static_cast<uint64_t>(i), 9 * kMiB));
    ASSERT_TRUE(large.commit().ok());
  }
  ASSERT_TRUE(large.upload().ok());
  TieredBlocks& tiered = *large.directory().tiered();
  EXPECT_GT(tiered.host_bytes(), 80 * kMiB);
  SilentEvents events;
  const auto set = Service(large.directory(), nullptr)
                       .handle({"volume_set", {{"cache_bytes", 64 * kMiB}}}, events);
  ASSERT_TRUE(set.ok()) << set.error().to_string();
  EXPECT_LE(tiered.host_bytes(), 64 * kMiB);
  EXPECT_EQ((*set)["used_bytes"], tiered.host_bytes());
  large.expect_files(large.files());
}

TEST_F(ManageVolumeTest, ACacheWhoseDataIsNotInTheBucketShrinksAsThatIsUploaded) {
  Machine large(bucket_, 3, 128 * kMiB);
  ASSERT_TRUE(large.create().ok());
  large.open();
  for (int i = 0; i < 10; ++i) {
    large.write("file" + std::to_string(i), noise(static_cast<uint64_t>(i), 9 * kMiB));
    ASSERT_TRUE(large.commit().ok());
  }
  SilentEvents events;
  Service service(large.directory(), nullptr);
  const Request smaller{"volume_set", {{"cache_bytes", 64 * kMiB}}};
  const auto set = service.handle(smaller, events);
  ASSERT_TRUE(set.ok()) << set.error().to_string();
  EXPECT_GT((*set)["used_bytes"], 80 * kMiB);
  ASSERT_TRUE(large.upload().ok());
  large.directory().tiered()->tier().make_room(0);
  EXPECT_LE(large.directory().tiered()->host_bytes(), 64 * kMiB);
  large.expect_files(large.files());
}

TEST_F(ManageVolumeTest, WhatCannotBeIsRefusedAndChangesNothing) {
  ASSERT_TRUE(here_.create().ok());
  here_.open();
  for (const Json& wrong :
       {Json{{"cache_bytes", 63 * kMiB}}, Json{{"cache_bytes", uint64_t{1} << 50}},
        Json{{"offline", "maybe"}}, Json{{"sync_remote", "wait"}}, Json{{"bucket", "other"}}}) {
    EXPECT_EQ(set(wrong).code(), Code::kInvalid) << wrong.dump();
  }
  EXPECT_EQ(here_.directory().tiered()->settings().cache_bytes, 64 * kMiB);
  here_.open(true);
  EXPECT_EQ(set({{"offline", "wait"}}).code(), Code::kReadOnly);
}

TEST_F(ManageVolumeTest, ACacheHasRoomForWhatIsPinned) {
  Machine large(bucket_, 3, 256 * kMiB);
  ASSERT_TRUE(large.create().ok());
  large.open();
  for (int i = 0; i < 8; ++i) {
    large.write("file" + std::to_string(i), noise(static_cast<uint64_t>(i), 9 * kMiB));
    ASSERT_TRUE(large.commit().ok());
  }
  ASSERT_TRUE(large.directory().tiered()->pins().add({kRootInode, "/"}).ok());
  SilentEvents events;
  Service service(large.directory(), nullptr);
  const auto refused = service.handle({"volume_set", {{"cache_bytes", 64 * kMiB}}}, events);
  EXPECT_EQ(refused.code(), Code::kInvalid);
  EXPECT_THAT(refused.error().context(), HasSubstr("pinned"));
  EXPECT_TRUE(service.handle({"volume_set", {{"cache_bytes", 128 * kMiB}}}, events).ok());
}

TEST_F(ManageVolumeTest, CredentialsThatTheBucketRefusesAreNotTaken) {
  ASSERT_TRUE(here_.create().ok());
  here_.open();
  bucket_.fail_next(Operation::kGet, 1, Error(Code::kAccess, "wrong key"));
  EXPECT_EQ(set({{"credentials_file", "/wrong.toml"}}).code(), Code::kAccess);
  EXPECT_EQ(here_.directory().tiered()->settings().credentials_file, "");
  // A bucket that is away cannot say so.
  bucket_.fail_next(Operation::kGet, 1, Error(Code::kUnavailable, "away"));
  EXPECT_TRUE(set({{"credentials_file", "/other.toml"}}).ok());
}

TEST_F(ManageVolumeTest, AnotherSecretOpensTheBucketAndTheOldOneDoesNot) {
  const BucketSecret old{.passphrase = "correct horse"};
  const BucketSecret fresh{.passphrase = "battery staple"};
  make_filled(here_, old);
  const uint64_t puts = bucket_.calls(Operation::kPut);
  const Status changed = change_secret(here_.host().files, Machine::kPath, fresh, here_.connect());
  ASSERT_TRUE(changed.ok()) << changed.error().to_string();
  EXPECT_EQ(bucket_.calls(Operation::kPut), puts + 1) << "no data is written again";
  EXPECT_EQ(bucket_.info(wire::volume_object_name(1)).code(), Code::kNotFound);
  EXPECT_EQ(there_.recover(old).code(), Code::kAccess);
  ASSERT_TRUE(there_.recover(fresh).ok());
  there_.open();
  there_.expect_files(here_.files());
}

TEST_F(ManageVolumeTest, ACutAtEveryStepOfChangingTheSecretLeavesOneThatOpens) {
  const BucketSecret old{.key_file = noise(1, 32)};
  const BucketSecret fresh{.key_file = noise(2, 32)};
  with_every_cut([&](bucket::MemoryBucket& bucket, const auto& cut, const auto& mend) {
    Machine here(bucket, 1);
    make_filled(here, old);
    cut();
    const Status changed = change_secret(here.host().files, Machine::kPath, fresh, here.connect());
    mend();
    Machine there(bucket, 2);
    const bool by_old = there.recover(old).ok();
    const bool by_fresh = !by_old && there.recover(fresh).ok();
    EXPECT_TRUE(by_old || by_fresh);
    EXPECT_TRUE(by_fresh || !changed.ok());
    there.open();
    there.expect_files(here.files());
    // Whoever has it now ends what was begun.
    EXPECT_TRUE(change_secret(there.host().files, Machine::kPath, fresh, there.connect()).ok());
    EXPECT_EQ(here.recover(old).code(), Code::kExists);  // its own copy is in the way
    Machine elsewhere(bucket, 3);
    EXPECT_EQ(elsewhere.recover(old).code(), Code::kAccess);
    EXPECT_TRUE(elsewhere.recover(fresh).ok());
    return !changed.ok();
  });
}

TEST_F(ManageVolumeTest, OnlyWhoHasTheVolumeChangesItsSecret) {
  const BucketSecret old{.key_file = noise(1, 32)};
  const BucketSecret fresh{.key_file = noise(2, 32)};
  make_filled(here_, old);
  ASSERT_TRUE(there_.recover(old).ok());
  EXPECT_EQ(change_secret(here_.host().files, Machine::kPath, fresh, here_.connect()).code(),
            Code::kAccess);
}

TEST_F(ManageVolumeTest, AVolumeThatIsNotSealedHasNoSecretToChange) {
  make_filled(here_);
  const Status changed = change_secret(here_.host().files, Machine::kPath,
                                       {.passphrase = "correct horse"}, here_.connect());
  EXPECT_EQ(changed.code(), Code::kUnsupported);
  EXPECT_THAT(changed.error().context(), HasSubstr("not sealed"));
}

TEST_F(ManageVolumeTest, WithoutTheBucketACopyIsDestroyedAlone) {
  make_filled(here_);
  const auto files = here_.files();
  const auto destroyed = destroy(here_, {});
  ASSERT_TRUE(destroyed.ok()) << destroyed.error().to_string();
  EXPECT_EQ(here_.host().files.kind(Machine::kPath).take(), os::PathKind::kMissing);
  const auto recovered = here_.recover();
  ASSERT_TRUE(recovered.ok()) << recovered.error().to_string();
  here_.open();
  here_.expect_files(files);
}

TEST_F(ManageVolumeTest, WhatIsInTheBucketNowhereIsNotDestroyedUnasked) {
  make_filled(here_);
  here_.open();
  here_.write("late", noise(9, 200'000));
  ASSERT_TRUE(here_.commit().ok());
  here_.close();
  const auto refused = destroy(here_, {});
  EXPECT_EQ(refused.code(), Code::kNotEmpty);
  EXPECT_THAT(refused.error().context(), HasSubstr("not in the bucket"));
  here_.open();
  here_.expect_files(here_.files());
  EXPECT_EQ(destroy(here_, {.force = true}).code(), Code::kBusy);
  here_.close();
  EXPECT_TRUE(destroy(here_, {.force = true}).ok());
}

TEST_F(ManageVolumeTest, ItsObjectsGoAndThoseOfOthersStay) {
  make_filled(here_);
  for (const char* foreign : {"holiday.jpg", "packs/readme"}) {
    ASSERT_TRUE(bucket_.put(foreign, {}).ok());
  }
  const uint64_t before = objects_in(bucket_);
  const auto destroyed = destroy(here_, {.remote = true});
  ASSERT_TRUE(destroyed.ok()) << destroyed.error().to_string();
  EXPECT_EQ(destroyed->objects, before - 2);
  EXPECT_THAT(destroyed->foreign_objects, testing::ElementsAre("holiday.jpg", "packs/readme"));
  EXPECT_EQ(objects_in(bucket_), 2u);
}

// Wherever it is interrupted, and whether the power goes, too: what is found in the bucket then is
// whole or no volume, and the same call ends what was begun.
TEST_F(ManageVolumeTest, ACutAtEveryStepOfDestroyingLeavesNothingThatPassesForAVolume) {
  for (const bool look : {false, true}) {
    with_every_cut([&](bucket::MemoryBucket& bucket, const auto& cut, const auto& mend) {
      Machine here(bucket, 1);
      make_filled(here);
      const auto files = here.files();
      cut();
      const bool failed = !destroy(here, {.remote = true}).ok();
      mend();
      here.crash();
      if (failed && here.try_open().ok()) {
        here.expect_files(files);
        here.close();
      }
      if (look) {
        Machine there(bucket, 2);
        if (there.recover().ok()) {
          there.open();
          there.expect_files(files);
        }
      }
      if (failed) {
        const auto ended = destroy(here, {.remote = true, .force = look});
        EXPECT_TRUE(ended.ok()) << ended.error().to_string();
      }
      EXPECT_EQ(objects_in(bucket), 0u);
      EXPECT_EQ(here.try_open().code(), Code::kNotFound);
      const auto again = here.create();
      EXPECT_TRUE(again.ok()) << again.error().to_string();
      return failed;
    });
  }
}

TEST_F(ManageVolumeTest, APowerCutAtEveryStepOnTheDiskLetsItBeEndedLater) {
  for (uint64_t step = 1;; ++step) {
    bucket::MemoryBucket bucket;
    Machine here(bucket, 1);
    make_filled(here);
    const auto files = here.files();
    here.disk().crash_after(step);
    const bool failed = !destroy(here, {.remote = true}).ok();
    here.crash();
    if (here.try_open().ok()) {
      here.expect_files(files);
      here.close();
    }
    const auto ended = destroy(here, {.remote = true});
    // Nothing may be left by which to know it.
    EXPECT_TRUE(ended.ok() || ended.code() == Code::kNotFound) << ended.error().to_string();
    EXPECT_EQ(objects_in(bucket), 0u) << step;
    if (!failed || HasFatalFailure()) break;
  }
}

TEST_F(ManageVolumeTest, WhatAnotherMachineTookOverIsNotDestroyedUnasked) {
  make_filled(here_);
  ASSERT_TRUE(there_.recover().ok());
  const uint64_t before = objects_in(bucket_);
  const auto refused = destroy(here_, {.remote = true});
  EXPECT_EQ(refused.code(), Code::kAccess);
  EXPECT_THAT(refused.error().context(), HasSubstr("--force"));
  EXPECT_EQ(objects_in(bucket_), before);
  here_.open();
  here_.close();
  EXPECT_TRUE(destroy(here_, {.remote = true, .force = true}).ok());
  EXPECT_EQ(objects_in(bucket_), 0u);
}

TEST_F(ManageVolumeTest, AnotherVolumeInTheBucketIsLeftAlone) {
  make_filled(here_);
  Machine elsewhere(bucket_, 4);
  ASSERT_TRUE(destroy(here_, {.remote = true}).ok());
  make_filled(elsewhere);
  const uint64_t before = objects_in(bucket_);
  bucket::MemoryBucket other;
  Machine stale(other, 1);
  make_filled(stale);
  const auto refused =
      destroy_volume(stale.host(), Machine::kPath,
                     {.remote = true, .force = true, .connect = elsewhere.connect()}, {});
  EXPECT_EQ(refused.code(), Code::kExists);
  EXPECT_EQ(objects_in(bucket_), before);
}

// What dies while it makes a volume leaves no more than a name, which may be replaced.
TEST_F(ManageVolumeTest, ACutAtEveryStepOfCreatingLeavesAPlaceForAnother) {
  with_every_cut([&](bucket::MemoryBucket& bucket, const auto& cut, const auto& mend) {
    Machine here(bucket, 1);
    cut();
    const bool failed = !here.create().ok();
    mend();
    if (!failed) return false;
    Machine there(bucket, 2);
    const auto plainly = there.create();
    if (!plainly.ok()) {
      EXPECT_EQ(plainly.code(), Code::kExists);
      EXPECT_THAT(plainly.error().context(), HasSubstr("--force"));
      const auto created = there.create({}, true);
      EXPECT_TRUE(created.ok()) << created.error().to_string();
    }
    there.open();
    there.write("a", noise(1, 100'000));
    EXPECT_TRUE(there.commit().ok());
    EXPECT_TRUE(there.upload().ok());
    Machine elsewhere(bucket, 3);
    EXPECT_TRUE(elsewhere.recover().ok());
    elsewhere.open();
    elsewhere.expect_files(there.files());
    return true;
  });
}

TEST_F(ManageVolumeTest, AFailureThatPassesLeavesNothingInTheBucket) {
  bucket_.fail_next(Operation::kPut, 1, Error(Code::kUnavailable, "cut"), Effect::kDone);
  EXPECT_FALSE(here_.create().ok());
  EXPECT_EQ(objects_in(bucket_), 0u);
}

TEST_F(ManageVolumeTest, WhoseNameIsReplacedUploadsNoMore) {
  ASSERT_TRUE(here_.create().ok());
  here_.open();
  ASSERT_TRUE(there_.create({}, true).ok());
  here_.write("a", noise(1, 100'000));
  ASSERT_TRUE(here_.commit().ok());
  EXPECT_EQ(here_.upload().code(), Code::kAccess);
}

TEST_F(ManageVolumeTest, WithoutCredentialsAVolumeOpensAndSaysWhyNothingGoes) {
  make_filled(here_);
  const auto opened = VolumeDirectory::open(
      here_.host(), Machine::kPath,
      {.background = false,
       .connect = [](const RemoteSettings&) -> Result<std::unique_ptr<bucket::Bucket>> {
         return Error(Code::kAccess, "no credentials");
       }});
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  EXPECT_EQ((*opened)->tiered()->shipper()->step().code(), Code::kAccess);
  EXPECT_THAT((*opened)->tiered()->shipper()->status().trouble, HasSubstr("no credentials"));
}

}  // namespace
}  // namespace nacre::node
