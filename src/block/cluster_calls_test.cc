#include "block/cluster_calls.h"

#include <gtest/gtest.h>

#include "block/cluster_view.h"

namespace nacre::block {
namespace {

const FragmentPlace kPlace{.device = {7}, .id = {1, 2}, .fragment = 31};

TEST(ClusterCalls, ComeBackAsTheyWere) {
  const wire::FragmentNote note{.kind = wire::BlockKind::kPart, .code = {4, 2}, .block_bytes = 9};
  const auto put = decode_put_fragment(encode(PutFragment{kPlace, note, 5}));
  EXPECT_EQ(put->place, kPlace);
  EXPECT_EQ(put->note, note);
  EXPECT_EQ(put->epoch, 5u);
  const auto get = decode_get_fragment(encode(GetFragment{kPlace, 3, 4}));
  EXPECT_EQ(get->place, kPlace);
  EXPECT_EQ(get->offset, 3u);
  EXPECT_EQ(get->length, 4u);
  const auto found = decode_fragment_found(encode(FragmentFound{note, 11}));
  EXPECT_EQ(found->note, note);
  EXPECT_EQ(found->fragment_bytes, 11u);
  for (const Removal what :
       {Removal::kFragment, Removal::kLeavingMark, Removal::kMark, Removal::kFence}) {
    const auto removal = decode_remove_fragment(encode(RemoveFragment{kPlace, what}));
    EXPECT_EQ(removal->place, kPlace);
    EXPECT_EQ(removal->what, what);
  }
  EXPECT_EQ(decode_fence_fragment(encode(FenceFragment{kPlace}))->place, kPlace);
  EXPECT_EQ(decode_keep_object(encode(KeepObject{{3, 4}}))->object, (BlockId{3, 4}));
  EXPECT_EQ(decode_heal_fragment(encode(HealFragment{kPlace}))->place, kPlace);
  const auto list = decode_list_fragments(encode(ListFragments{{7}, 1, 2, {3, 4}, 0x8001, 6, 8}));
  EXPECT_EQ(list->device.value, 7u);
  EXPECT_EQ(list->first_placement, 1u);
  EXPECT_EQ(list->last_placement, 2u);
  EXPECT_EQ(list->after, (BlockId{3, 4}));
  EXPECT_EQ(list->after_fragment, 0x8001);
  EXPECT_EQ(list->limit, 6u);
  EXPECT_EQ(list->min_epoch, 8u);
  const std::vector<ListedFragment> fragments = {{{1, 2}, 3}, {{4, 5}, 0x8006}};
  EXPECT_EQ(*decode_fragment_list(as_bytes(encode_fragment_list(fragments))), fragments);
}

TEST(ClusterCalls, ThatAreNoneAreRefused) {
  for (const std::string bad : {"no message at all", "\xff\xff\xff\xff\xff"}) {
    EXPECT_EQ(decode_put_fragment(bad).code(), Code::kCorrupt);
    EXPECT_EQ(decode_get_fragment(bad).code(), Code::kCorrupt);
    EXPECT_EQ(decode_fragment_found(bad).code(), Code::kCorrupt);
    EXPECT_EQ(decode_remove_fragment(bad).code(), Code::kCorrupt);
    EXPECT_EQ(decode_fence_fragment(bad).code(), Code::kCorrupt);
    EXPECT_EQ(decode_keep_object(bad).code(), Code::kCorrupt);
    EXPECT_EQ(decode_heal_fragment(bad).code(), Code::kCorrupt);
    EXPECT_EQ(decode_list_fragments(bad).code(), Code::kCorrupt);
    EXPECT_EQ(decode_fragment_list(as_bytes(bad)).code(), Code::kCorrupt);
  }
  FragmentPlace beyond = kPlace;
  beyond.fragment = codec::kMaxFragments;
  EXPECT_EQ(decode_get_fragment(encode(GetFragment{.place = beyond})).code(), Code::kCorrupt);
  const RemoveFragment nothing_known{kPlace, static_cast<Removal>(4)};
  EXPECT_EQ(decode_remove_fragment(encode(nothing_known)).code(), Code::kCorrupt);
}

ClusterView view() {
  ClusterView made;
  made.map.cluster = {1, 1};
  made.map.epoch = 4;
  made.map.next_device = {3};
  made.map.nodes = {{.id = {1, 1}, .name = "a", .addresses = {"a:1"}},
                    {.id = {1, 2}, .name = "b", .addresses = {"b:2"}}};
  made.map.devices = {{.number = {1}, .id = {5, 1}, .node = {1, 1}, .weight_bytes = 1},
                      {.number = {2}, .id = {5, 2}, .node = {1, 2}, .weight_bytes = 1}};
  made.map.pools = {
      {.id = 1, .code = {1, 1}, .first_placement = 0, .span_bits = 19, .pg_count = 1024}};
  made.tables[1] = wire::PgTable(made.map.pools.front());
  for (uint32_t pg = 0; pg < 1024; ++pg) {
    made.tables[1].devices(pg)[0] = {1};
    made.tables[1].devices(pg)[1] = {2};
  }
  made.up = {{1, 2}};
  return made;
}

TEST(ClusterView, ComesBackAsItWas) {
  const ClusterView before = view();
  const auto after = decode_view(encode_view(before));
  ASSERT_TRUE(after.ok()) << after.error().to_string();
  EXPECT_EQ(after->map, before.map);
  EXPECT_EQ(after->tables, before.tables);
  EXPECT_EQ(after->up, before.up);
}

TEST(ClusterView, CutOffAnywhereIsRefused) {
  const std::string good = encode_view(view());
  for (size_t size = 0; size < good.size(); size += 7) {
    EXPECT_FALSE(decode_view(good.substr(0, size)).ok()) << size;
  }
}

TEST(ClusterView, KnowsWhereABlockIsAndWhoIsUp) {
  const ClusterView known = view();
  const auto location = known.locate({uint64_t{513} << 44, 0});
  ASSERT_TRUE(location.ok());
  EXPECT_EQ(location->pg, 513u * 1024 >> 19);
  EXPECT_EQ(known.locate({UINT64_MAX, 0}).code(), Code::kNotFound);
  EXPECT_FALSE(known.is_up({1}));
  EXPECT_TRUE(known.is_up({2}));
  EXPECT_FALSE(known.is_up({9}));
}

}  // namespace
}  // namespace nacre::block
