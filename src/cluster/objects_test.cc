// Objects on nodes that answer, die, lie and dawdle: over real sockets, on real devices.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "cluster/rig.h"
#include "codec/checksum.h"

namespace nacre::cluster {
namespace {

using testing::HasSubstr;

constexpr codec::ErasureCode kFourTwo{4, 2};
constexpr codec::ErasureCode kThreeCopies{1, 2};
constexpr uint32_t kPart = ClusterRig::kPart;

const std::vector<size_t> kSizes = {0,         1,         4095,     4096,      16'384,
                                    50'000,    kPart - 1, kPart,    kPart + 1, 2 * kPart,
                                    5 * kPart, 900'001,   4'000'000};

class ObjectsTest : public testing::TestWithParam<codec::ErasureCode> {};

TEST_P(ObjectsTest, ComeBackWhateverTheirSize) {
  ClusterRig rig(6, GetParam());
  for (const size_t size : kSizes) {
    const std::string bytes = bytes_of(size);
    const auto id = rig.put(bytes);
    ASSERT_TRUE(id.ok()) << size << id.error().to_string();
    const auto got = rig.get(*id);
    ASSERT_TRUE(got.ok()) << size << got.error().to_string();
    EXPECT_TRUE(*got == bytes) << size;
  }
}

TEST_P(ObjectsTest, GiveAnyRange) {
  ClusterRig rig(6, GetParam());
  const std::string bytes = bytes_of(3 * kPart + 777);
  const BlockId id = rig.put(bytes).take();
  os::SeededRandom random(3);
  for (int i = 0; i < 200; ++i) {
    const uint64_t offset = random.next() % (bytes.size() + 1);
    const uint64_t length = random.next() % (i % 2 == 0 ? 5000 : bytes.size());
    const auto got = rig.get(id, offset, length);
    ASSERT_TRUE(got.ok()) << got.error().to_string();
    EXPECT_TRUE(*got == bytes.substr(offset, length)) << offset << " " << length;
  }
  EXPECT_EQ(rig.get(id, bytes.size() + 1, 1).code(), Code::kOutOfRange);
}

TEST_P(ObjectsTest, AreReadWithAnyTwoNodesDead) {
  ClusterRig rig(6, GetParam());
  std::vector<std::pair<BlockId, std::string>> objects;
  for (const size_t size : kSizes) {
    objects.emplace_back(rig.put(bytes_of(size, size)).take(), bytes_of(size, size));
  }
  for (unsigned one = 0; one < 6; ++one) {
    for (unsigned other = one + 1; other < 6; ++other) {
      // Whether or not anybody has noticed.
      rig.kill_unnoticed(one);
      rig.kill(other);
      for (const auto& [id, bytes] : objects) {
        const auto got = rig.get(id);
        ASSERT_TRUE(got.ok()) << one << other << " " << got.error().to_string();
        EXPECT_TRUE(*got == bytes);
      }
      rig.revive(one);
      rig.revive(other);
    }
  }
}

TEST_P(ObjectsTest, AreUnavailableNotGoneWhenTooManyNodesAreDead) {
  ClusterRig rig(6, GetParam());
  const BlockId id = rig.put(bytes_of(100'000)).take();
  for (unsigned i = 0; i < 6; ++i) rig.kill(i);
  const auto got = rig.get(id);
  EXPECT_EQ(got.code(), Code::kUnavailable) << got.error().to_string();
}

TEST_P(ObjectsTest, AreGoneWhenDeletedAndMayBeDeletedTwice) {
  ClusterRig rig(6, GetParam());
  for (const size_t size : kSizes) {
    const BlockId id = rig.put(bytes_of(size)).take();
    ASSERT_TRUE(rig.objects->remove(id).ok());
    EXPECT_EQ(rig.get(id).code(), Code::kNotFound);
    EXPECT_TRUE(rig.objects->remove(id).ok());
  }
  EXPECT_EQ(rig.records(), 0u);
}

TEST_P(ObjectsTest, DeletedWhileANodeIsDeadAreRememberedAsDeleted) {
  ClusterRig rig(6, GetParam(), 1);
  rig.put(bytes_of(1)).take();
  const BlockId id = rig.put(bytes_of(20'000)).take();
  rig.kill(0);
  ASSERT_TRUE(rig.objects->remove(id).ok());
  EXPECT_TRUE(rig.nodes[1]->service->is_deleted({.device = {2}, .id = id, .fragment = 1}));
  // What was under way when it was deleted comes too late.
  const block::PutFragment late{.place = {.device = {2}, .id = id, .fragment = 1},
                                .note = {.code = GetParam()}};
  EXPECT_EQ(rig.nodes[1]->service->put(late, {}, 0).code(), Code::kCancelled);
}

TEST_P(ObjectsTest, AreNamedByIdsThatSomebodyElseCannotMistake) {
  ClusterRig rig(6, GetParam());
  EXPECT_EQ(rig.get({1, 2}).code(), Code::kNotFound);
  EXPECT_EQ(rig.get({UINT64_MAX, 2}).code(), Code::kNotFound);
  EXPECT_EQ(rig.objects->query({1, 2}).code(), Code::kNotFound);
}

TEST_P(ObjectsTest, ShowWhereTheyAre) {
  ClusterRig rig(6, GetParam());
  const BlockId id = rig.put(bytes_of(3 * kPart)).take();
  auto status = rig.objects->query(id);
  ASSERT_TRUE(status.ok()) << status.error().to_string();
  EXPECT_EQ(status->bytes, 3u * kPart);
  ASSERT_EQ(status->parts.size(), 3u);
  rig.kill(2);
  const auto part = rig.objects->query_part(status->parts[1]);
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(part->note.object, id);
  EXPECT_EQ(part->fragments.size(), GetParam().n());
  for (const block::FragmentStatus& fragment : part->fragments) {
    EXPECT_EQ(fragment.state, fragment.device.value == 3
                                  ? block::FragmentStatus::State::kUnreachable
                                  : block::FragmentStatus::State::kGood);
    EXPECT_EQ(fragment.bytes, kPart / GetParam().k);
  }
}

INSTANTIATE_TEST_SUITE_P(Codes, ObjectsTest, testing::Values(kFourTwo, kThreeCopies),
                         [](const auto& code) {
                           return fmt::format("{}and{}", code.param.k, code.param.m);
                         });

TEST(SmallObject, OfFourPlusTwoIsOneFragmentOfDataAndTwoOfParity) {
  ClusterRig rig(6, kFourTwo);
  rig.put(bytes_of(4096)).take();
  EXPECT_EQ(rig.records(), 3u);
}

TEST(Put, WithANodeDeadIsDegradedAndReadable) {
  ClusterRig rig(6, kFourTwo);
  rig.kill(3);
  const std::string bytes = bytes_of(5 * kPart);
  const auto id = rig.put(bytes);
  ASSERT_TRUE(id.ok()) << id.error().to_string();
  EXPECT_TRUE(*rig.get(*id) == bytes);
  EXPECT_GT(rig.blocks->counters().degraded_writes, 0u);
  // One more may go.
  rig.kill_unnoticed(5);
  EXPECT_TRUE(*rig.get(*id) == bytes);
}

TEST(Put, AvoidsDeadNodesWhereOthersWillDo) {
  ClusterRig rig(8, kFourTwo);
  rig.kill(3);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(rig.put(bytes_of(20'000)).ok());
  EXPECT_EQ(rig.blocks->counters().degraded_writes, 0u);
}

TEST(Put, WithTooManyNodesDeadFailsAndLeavesNothing) {
  ClusterRig rig(6, kFourTwo);
  rig.put(bytes_of(10)).take();
  const uint64_t before = rig.records();
  rig.kill(0);
  rig.kill_unnoticed(1);
  const auto id = rig.put(bytes_of(5 * kPart));
  EXPECT_EQ(id.code(), Code::kUnavailable) << id.error().to_string();
  uint64_t fragments = 0;
  for (unsigned i = 0; i < 6; ++i) {
    rig.device(i).list([&](BlockId, uint16_t fragment, const device::FragmentInfo&) {
      if (fragment < codec::kMaxFragments) ++fragments;
      return true;
    });
  }
  EXPECT_EQ(fragments, before);
}

TEST(Put, WhoseSourceFailsLeavesNothing) {
  ClusterRig rig(6, kFourTwo);
  int calls = 0;
  const auto id = rig.objects->put(kFourTwo, [&](MutableBytes into) -> Result<size_t> {
    if (++calls == 9) return Error(Code::kIo, "the pipe broke");
    return into.size();
  });
  EXPECT_EQ(id.code(), Code::kIo);
  EXPECT_EQ(rig.records(), 0u);
}

TEST(Get, OfDamagedBytesIsRightAndAsksForHealing) {
  ClusterRig rig(6, kFourTwo, 1);
  const std::string bytes = bytes_of(kPart - 1);
  const BlockId id = rig.put(bytes).take();
  // The same place with other bytes, sound for the device: only its writer's sum tells.
  const block::FragmentPlace place{.device = {2}, .id = id, .fragment = 1};
  ASSERT_TRUE(rig.nodes[1]->service->remove(place, block::Removal::kFragment).ok());
  const std::string other(16'384, 'x');
  const wire::FragmentNote note{.code = kFourTwo, .block_bytes = kPart - 1, .fragment_xxh64 = 4711};
  const ByteView payload = as_bytes(other);
  const std::string extra = wire::encode_fragment_note(note);
  ASSERT_TRUE(rig.device(1)
                  .put(id, 1, {&payload, 1}, {.logical_bytes = 16'384, .extra = as_bytes(extra)})
                  .ok());
  EXPECT_TRUE(*rig.get(id) == bytes);
  EXPECT_EQ(rig.blocks->counters().damaged_fragments, 1u);
  TestNode& node = *rig.nodes[1];
  const os::Lock lock(node.mutex);
  while (node.to_heal.empty()) node.changed.wait(node.mutex);
  EXPECT_EQ(node.to_heal.front(), place);
}

TEST(Service, GivesAWholeFragmentByItsWritersSum) {
  ClusterRig rig(6, kFourTwo, 1);
  const BlockId id = rig.put(bytes_of(kPart)).take();
  const block::FragmentPlace place{.device = {2}, .id = id, .fragment = 1};
  rpc::Client& client = rig.clients->at({"127.0.0.1", rig.nodes[1]->port});
  const auto get = [&](uint64_t length) {
    const block::GetFragment call{.place = place, .length = length, .by_writers_sum = true};
    return client.call(
        {.method = static_cast<uint16_t>(block::Method::kGetFragment), .header = encode(call)});
  };
  const uint64_t sum = rig.nodes[1]->service->note(place)->fragment_xxh64;
  EXPECT_EQ(get(kPart)->payload_xxh64, sum);
  const auto part = get(4096);
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(part->payload_xxh64, codec::xxh64(part->payload.view()));
}

TEST(Get, DoesNotWaitForASlowNode) {
  ClusterRig rig(6, kFourTwo);
  const std::string bytes = bytes_of(3 * kPart);
  const BlockId id = rig.put(bytes).take();
  rig.slow_down(2, 4'000'000'000);
  const int64_t begun_ns = os::real_clock().monotonic_ns();
  EXPECT_TRUE(*rig.get(id) == bytes);
  EXPECT_LT(os::real_clock().monotonic_ns() - begun_ns, 3'000'000'000);
  EXPECT_GT(rig.blocks->counters().hedged_reads, 0u);
  rig.slow_down(2, 0);
}

TEST(Rebuild, MakesAnyFragmentAnew) {
  ClusterRig rig(6, kFourTwo, 1);
  const std::string bytes = bytes_of(kPart - 5);
  const BlockId id = rig.put(bytes).take();
  const auto layout = codec::layout_of(kFourTwo, bytes.size());
  for (unsigned i = 0; i < 6; ++i) {
    const auto made = rig.blocks->rebuild(id, bytes.size(), i);
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    std::string there(layout.bytes_of(i), '\0');
    ASSERT_TRUE(rig.device(i).read(id, static_cast<uint16_t>(i), 0, as_writable_bytes(there)).ok());
    EXPECT_TRUE(there == as_text(made->parts.front())) << i;
  }
}

TEST(Service, SortsOutWhatItIsAsked) {
  ClusterRig rig(6, kFourTwo, 1);
  FragmentService& service = *rig.nodes[0]->service;
  const block::FragmentPlace place{.device = {1}, .id = {5, 5}, .fragment = 0};
  const auto note = [](uint64_t sum) { return wire::FragmentNote{.fragment_xxh64 = sum}; };
  const std::string bytes = "some bytes";
  EXPECT_EQ(service.put({place, note(1)}, as_bytes(bytes), 2).code(), Code::kCorrupt);
  EXPECT_TRUE(service.put({place, note(1)}, as_bytes(bytes), 1).ok());
  EXPECT_TRUE(service.put({place, note(1)}, as_bytes(bytes), 1).ok());  // sent twice
  EXPECT_EQ(service.put({place, note(2)}, as_bytes(bytes), 2).code(), Code::kExists);
  EXPECT_EQ(service.put({{.device = {2}, .id = {5, 5}}, note(1)}, as_bytes(bytes), 1).code(),
            Code::kUnavailable);
  rpc::Client& client = rig.clients->at({"127.0.0.1", rig.nodes[0]->port});
  EXPECT_EQ(client.call({.method = 999}).code(), Code::kUnsupported);
  EXPECT_EQ(client
                .call({.method = static_cast<uint16_t>(block::Method::kGetFragment),
                       .header = "no message"})
                .code(),
            Code::kCorrupt);
}

TEST(Service, ListsFragmentsPageByPage) {
  ClusterRig rig(6, kFourTwo, 1);
  FragmentService& service = *rig.nodes[0]->service;
  std::vector<block::ListedFragment> all;
  os::SeededRandom random(5);
  for (uint16_t i = 0; i < 100; ++i) {
    const block::ListedFragment each{{random.next(), i}, static_cast<uint16_t>(i % 3)};
    all.push_back(each);
    ASSERT_TRUE(service.put({{{1}, each.id, each.fragment}, {}}, {}, 0).ok());
  }
  std::ranges::sort(all);
  rpc::Client& client = rig.clients->at({"127.0.0.1", rig.nodes[0]->port});
  std::vector<block::ListedFragment> listed;
  block::ListFragments call{.device = {1}, .limit = 7};
  for (;;) {
    const auto reply = client.call(
        {.method = static_cast<uint16_t>(block::Method::kListFragments), .header = encode(call)});
    ASSERT_TRUE(reply.ok()) << reply.error().to_string();
    const auto page = block::decode_fragment_list(reply->payload.view());
    if (page->empty()) break;
    listed.insert(listed.end(), page->begin(), page->end());
    call.after = listed.back().id;
    call.after_fragment = listed.back().fragment;
  }
  EXPECT_EQ(listed, all);
}

}  // namespace
}  // namespace nacre::cluster
