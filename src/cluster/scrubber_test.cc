// What scrubbing finds, and what it leaves alone, on real devices behind real sockets.
#include "cluster/scrubber.h"

#include <gtest/gtest.h>

#include "cluster/rig.h"

namespace nacre::cluster {
namespace {

constexpr codec::ErasureCode kFourTwo{4, 2};

class ScrubberTest : public testing::Test {
 protected:
  ScrubberTest() {
    for (const auto& node : rig_.nodes) {
      scrubbers_.push_back(
          std::make_unique<Scrubber>(Scrubber::Parts{.clock = os::real_clock(),
                                                     .views = rig_.views,
                                                     .blocks = *rig_.blocks,
                                                     .clients = *rig_.clients,
                                                     .devices = *node->devices,
                                                     .fragments = *node->service},
                                     ScrubberOptions{.grace_ns = ClusterRig::grace_ns}));
    }
  }

  static void wait_for_grace() { ::usleep(ClusterRig::grace_ns / 1000 + 10'000); }
  void pass() {
    wait_for_grace();
    for (const auto& scrubber : scrubbers_) scrubber->pass();
  }
  uint64_t sum(uint64_t ScrubStatus::* what) {
    uint64_t all = 0;
    for (const auto& scrubber : scrubbers_) all += scrubber->status().*what;
    return all;
  }

  static std::shared_ptr<const rpc::Buffer> buffer_of(const std::string& bytes) {
    auto buffer = std::make_shared<rpc::Buffer>(bytes.size());
    std::ranges::copy(as_bytes(bytes), buffer->bytes().begin());
    return buffer;
  }
  // As a put leaves it whose client is killed before the manifest.
  BlockId put_orphan(BlockId object) {
    const BlockId id = rig_.blocks->choose_id(kFourTwo).take();
    const Status put = rig_.blocks->put(id, buffer_of(bytes_of(ClusterRig::kPart)),
                                        {.kind = wire::BlockKind::kPart, .object = object},
                                        block::ClusterBlocks::Degraded::kNever);
    EXPECT_TRUE(put.ok()) << put.error().to_string();
    return id;
  }
  Status put_manifest(BlockId object, const std::vector<BlockId>& parts) {
    const wire::Manifest manifest{.object_bytes = ClusterRig::kPart * parts.size(),
                                  .part_bytes = ClusterRig::kPart,
                                  .parts = parts};
    return rig_.blocks->put(object, buffer_of(wire::encode_manifest(manifest)),
                            {.kind = wire::BlockKind::kManifest},
                            block::ClusterBlocks::Degraded::kNever);
  }
  bool is_there(BlockId id) { return rig_.blocks->read_start(id, 0).ok(); }
  // The place of a block's fragment, and the node that has it.
  block::FragmentPlace place_of(BlockId id, unsigned fragment) {
    const block::Location location = rig_.views.view()->locate(id).take();
    return {.device = location.devices[fragment],
            .id = id,
            .fragment = static_cast<uint16_t>(fragment)};
  }
  TestNode& node_of(const block::FragmentPlace& place) {
    return *rig_.nodes[place.device.value - 1];
  }
  void drop(BlockId id, unsigned fragment) {
    const block::FragmentPlace place = place_of(id, fragment);
    EXPECT_TRUE(node_of(place).service->remove(place, block::Removal::kFragment).ok());
  }

  ClusterRig rig_{7, kFourTwo};
  std::vector<std::unique_ptr<Scrubber>> scrubbers_;
};

TEST_F(ScrubberTest, WhatIsWholeIsLeftAlone) {
  std::vector<BlockId> ids;
  for (const size_t size : {1, 5000, 60'000, 300'000}) {
    ids.push_back(rig_.put(bytes_of(size, size)).take());
  }
  const uint64_t records = rig_.records();
  for (int i = 0; i < 3; ++i) pass();
  EXPECT_EQ(rig_.records(), records);
  EXPECT_EQ(rig_.get(ids[3]).take(), bytes_of(300'000, 300'000));
  EXPECT_EQ(sum(&ScrubStatus::blocks), 3u * (3 + 1 + 5));
  EXPECT_EQ(sum(&ScrubStatus::incomplete) + sum(&ScrubStatus::garbage_removed), 0u);
  for (const auto& scrubber : scrubbers_) EXPECT_EQ(scrubber->status().trouble, "");
}

TEST_F(ScrubberTest, PartsWithoutAnObjectGoAfterTheGraceTime) {
  const BlockId kept = rig_.put(bytes_of(5 * ClusterRig::kPart)).take();
  const BlockId object = rig_.blocks->choose_id(kFourTwo).take();
  const std::vector<BlockId> parts = {put_orphan(object), put_orphan(object), put_orphan(object)};
  for (const auto& scrubber : scrubbers_) scrubber->pass();
  for (const BlockId part : parts) EXPECT_TRUE(is_there(part));
  pass();
  for (const BlockId part : parts) EXPECT_FALSE(is_there(part));
  EXPECT_EQ(sum(&ScrubStatus::garbage_removed), 3u);
  EXPECT_EQ(rig_.get(kept).take(), bytes_of(5 * ClusterRig::kPart));
}

TEST_F(ScrubberTest, AWriterThatWasThoughtDeadFailsAndLosesNothingUnnoticed) {
  const BlockId object = rig_.blocks->choose_id(kFourTwo).take();
  const BlockId part = put_orphan(object);
  pass();
  EXPECT_FALSE(is_there(part));
  const Status put = put_manifest(object, {part});
  EXPECT_EQ(put.code(), Code::kCancelled) << put.error().to_string();
  EXPECT_FALSE(is_there(object));
  // Also long after.
  for (int i = 0; i < 3; ++i) pass();
  EXPECT_EQ(put_manifest(object, {part}).code(), Code::kCancelled);
}

TEST_F(ScrubberTest, AWriterThatIsSlowIsNotThoughtDead) {
  const BlockId object = rig_.blocks->choose_id(kFourTwo).take();
  const BlockId part = put_orphan(object);
  {
    std::atomic<bool> ended = false;
    const os::Thread writer("writer", [&] {
      while (!ended) {
        for (const auto& node : rig_.nodes) node->service->keep(object);
        ::usleep(1000);
      }
    });
    for (int i = 0; i < 3; ++i) pass();
    EXPECT_EQ(rig_.blocks->fence(object).code(), Code::kBusy);
    EXPECT_TRUE(put_manifest(object, {part}).ok());
    ended = true;
  }
  pass();
  EXPECT_EQ(rig_.get(object).take(), bytes_of(ClusterRig::kPart));
}

TEST_F(ScrubberTest, AFenceThatComesAfterTheManifestDoesNothing) {
  const BlockId object = rig_.blocks->choose_id(kFourTwo).take();
  ASSERT_TRUE(put_manifest(object, {put_orphan(object)}).ok());
  wait_for_grace();
  // One device lacks its fragment, as after a degraded put.
  drop(object, 3);
  drop(object, 4);
  drop(object, 5);
  EXPECT_EQ(rig_.blocks->fence(object).code(), Code::kExists);
  const block::FragmentPlace place = place_of(object, 5);
  EXPECT_TRUE(node_of(place).service->fence(place).ok());
  pass();
  EXPECT_TRUE(is_there(object));
  EXPECT_GT(sum(&ScrubStatus::marks_forgotten), 0u);
}

TEST_F(ScrubberTest, NothingGoesByAMapThatMayBeOld) {
  const BlockId part = put_orphan(rig_.blocks->choose_id(kFourTwo).take());
  const BlockId block = rig_.put(bytes_of(60'000)).take();
  for (const unsigned fragment : {0, 2, 5}) drop(block, fragment);
  rig_.views.cut_off(true);
  for (int i = 0; i < 3; ++i) pass();
  EXPECT_TRUE(is_there(part));
  EXPECT_EQ(rig_.records(), 6u + 3 + 6);  // the part, the rest of the block, a fence
  rig_.views.cut_off(false);
  pass();
  EXPECT_FALSE(is_there(part));
  EXPECT_EQ(rig_.records(), 6u);
}

TEST_F(ScrubberTest, APartThatItsManifestDoesNotNameGoes) {
  const BlockId object = rig_.blocks->choose_id(kFourTwo).take();
  const BlockId named = put_orphan(object);
  const BlockId left = put_orphan(object);
  ASSERT_TRUE(put_manifest(object, {named}).ok());
  pass();
  EXPECT_TRUE(is_there(named));
  EXPECT_FALSE(is_there(left));
}

TEST_F(ScrubberTest, ABlockThatLacksFragmentsIsGivenToHealing) {
  const BlockId id = rig_.put(bytes_of(60'000)).take();
  drop(id, 4);
  pass();
  EXPECT_EQ(sum(&ScrubStatus::incomplete), 0u);
  pass();
  EXPECT_EQ(sum(&ScrubStatus::incomplete), 1u);
  const block::FragmentPlace place = place_of(id, 4);
  TestNode& node = node_of(place);
  const os::Lock lock(node.mutex);
  ASSERT_EQ(node.to_heal.size(), 1u);
  EXPECT_EQ(node.to_heal.front(), place);
}

TEST_F(ScrubberTest, FragmentsThatAreTooFewGo) {
  const BlockId id = rig_.put(bytes_of(60'000)).take();
  for (const unsigned fragment : {0, 2, 5}) drop(id, fragment);
  pass();
  EXPECT_EQ(rig_.records(), 3u);
  // Not while a device that may have one cannot be asked.
  const unsigned away = place_of(id, 2).device.value - 1;
  rig_.kill(away);
  pass();
  EXPECT_EQ(rig_.records(), 3u);
  rig_.revive(away);
  pass();
  pass();
  EXPECT_EQ(rig_.records(), 0u);
}

TEST_F(ScrubberTest, WhatIsDeletedIsForgottenWhenNobodyHasItAnyMore) {
  const BlockId id = rig_.put(bytes_of(60'000)).take();
  const unsigned away = place_of(id, 5).device.value - 1;
  rig_.kill(away);
  ASSERT_TRUE(rig_.objects->remove(id).ok());
  pass();
  pass();
  EXPECT_EQ(rig_.records(), 5u + 1);  // marks, and the fragment of the node that is away
  rig_.revive(away);
  pass();
  EXPECT_EQ(rig_.records(), 5u);
  pass();
  pass();
  EXPECT_EQ(rig_.records(), 0u);
  EXPECT_EQ(sum(&ScrubStatus::marks_forgotten), 1u);
}

}  // namespace
}  // namespace nacre::cluster
