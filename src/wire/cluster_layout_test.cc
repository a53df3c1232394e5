#include "wire/cluster_layout.h"

#include <gtest/gtest.h>

#include "codec/checksum.h"
#include "wire/cluster_example.h"
#include "wire/cursor.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

Code decode_code(const std::string& bytes) { return decode_cluster_map(as_bytes(bytes)).code(); }

// The value with some bytes replaced and its checksum made good again.
std::string patched(std::string value, size_t offset, std::string_view bytes) {
  value.replace(offset, bytes.size(), bytes);
  std::string checksum;
  Writer(checksum).u64(codec::xxh64(as_bytes(value).first(value.size() - 8)));
  return value.replace(value.size() - 8, 8, checksum);
}

TEST(ClusterMap, HasTheseBytes) {
  EXPECT_EQ(hex_of(encode_cluster_map(example_map())),
            without_spaces("4e616372654d6170 0100 c9000000"
                           "0100000000000000 0200000000000000 0000000000000000"
                           "101112131415161718191a1b1c1d1e1f 0700000000000000 2d010000"
                           "02"
                           "00000000000000010000000000000002 01 61 02 6e31"
                           "02 03 683a31 08 5b3a3a315d3a3232"
                           "00000000000000010000000000000003 00 02 6e32 00"
                           "02"
                           "01 00000000000000040000000000000005 01 e807 01"
                           "ac02 00000000000000040000000000000006 00 00 02"
                           "02"
                           "0100 04 02 00000000 13 00040000"
                           "0200 01 02 00000800 0e 03000000"
                           "d1f9354411a6feaf"));
}

TEST(ClusterMap, ReadsBackWhatWasWritten) {
  const ClusterMap map = example_map();
  const Result<ClusterMap> back = decode_cluster_map(as_bytes(encode_cluster_map(map)));
  ASSERT_TRUE(back.ok()) << back.error().to_string();
  EXPECT_EQ(*back, map);
}

TEST(ClusterMap, WithAnyBitFlippedIsCorrupt) {
  const std::string bytes = encode_cluster_map(example_map());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    ASSERT_EQ(decode_code(bad), Code::kCorrupt) << bit;
  }
  for (size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_EQ(decode_code(bytes.substr(0, length)), Code::kCorrupt) << length;
  }
}

TEST(ClusterMap, OfALaterFormatNeedsANewerNacre) {
  const std::string bytes = encode_cluster_map(example_map());
  EXPECT_EQ(decode_code(patched(bytes, 8, "\x02")), Code::kNewerFormat);
  const auto refused = decode_cluster_map(as_bytes(patched(bytes, 30, "\x40")));
  EXPECT_EQ(refused.code(), Code::kNewerFormat);
  EXPECT_EQ(
      refused.error().context(),
      "incompatible features 0x40 are unknown: the cluster map was written by a later version "
      "of Nacre; use that one");
}

TEST(ClusterMap, OfUnknownReadOnlyFeaturesMayOnlyBeRead) {
  EXPECT_TRUE(example_map().must_stay_read_only());
  EXPECT_FALSE(ClusterMap().must_stay_read_only());
}

// The fault of the example after a change.
template <class Change>
std::string fault_after(Change change) {
  ClusterMap map = example_map();
  change(map);
  return fault_of(map);
}

TEST(ClusterMap, NamesWhatContradictsItself) {
  EXPECT_EQ(fault_of(example_map()), "");
  EXPECT_EQ(fault_after([](auto& map) { map.cluster = {}; }), "no cluster id");
  EXPECT_EQ(fault_after([](auto& map) { std::swap(map.nodes[0], map.nodes[1]); }),
            "nodes out of order, or one twice");
  EXPECT_EQ(fault_after([](auto& map) { map.nodes[1].name = "a\nb"; }),
            "node 00000000000000010000000000000003 has an impossible name");
  EXPECT_EQ(fault_after([](auto& map) { map.nodes[0].addresses[0] = "host"; }),
            "node 00000000000000010000000000000002 has an address without host:port");
  EXPECT_EQ(fault_after([](auto& map) { map.devices[0].number = {300}; }),
            "devices out of order, or one twice");
  EXPECT_EQ(fault_after([](auto& map) { map.devices[1].number = {301}; }),
            "device 301 has a number that was never given");
  EXPECT_EQ(fault_after([](auto& map) { map.devices[0].node = {9, 9}; }),
            "device 1 is on a node that there is not");
  EXPECT_EQ(fault_after([](auto& map) { map.devices[0].id = map.devices[1].id; }),
            "two devices of the same id");
  EXPECT_EQ(fault_after([](auto& map) { map.devices[0].weight_bytes = UINT64_MAX; }),
            "device 1 is too large");
  EXPECT_EQ(fault_after([](auto& map) { map.devices[0].state = DeviceState{5}; }),
            "device 1 is in an unknown state");
}

TEST(ClusterMap, NamesPoolsThatCannotBe) {
  EXPECT_EQ(fault_after([](auto& map) { map.pools[0].code = {30, 3}; }),
            "pool 1 has an impossible code");
  EXPECT_EQ(fault_after([](auto& map) { map.pools[1].pg_count = 16385; }),
            "pool 2 has 16385 groups for 16384 placements");
  EXPECT_EQ(fault_after([](auto& map) { map.pools[1].first_placement += 1; }),
            "pool 2 has an impossible range of placements");
  EXPECT_EQ(fault_after([](auto& map) { map.pools[0].span_bits = 21; }),
            "pool 1 has an impossible range of placements");
  EXPECT_EQ(fault_after([](auto& map) { map.pools[1].first_placement = 1u << 14; }),
            "pools 1 and 2 share placements");
}

TEST(ClusterMap, FindsWhatItHolds) {
  const ClusterMap map = example_map();
  EXPECT_EQ(map.find_node({1, 3})->name, "n2");
  EXPECT_EQ(map.find_node({1, 4}), nullptr);
  EXPECT_EQ(map.find_device({300})->id, (DeviceId{4, 6}));
  EXPECT_EQ(map.find_device({2}), nullptr);
  EXPECT_EQ(map.find_pool(2)->pg_count, 3u);
  EXPECT_EQ(map.find_pool(3), nullptr);
}

TEST(ClusterMap, GivesEveryBlockItsPoolAndGroup) {
  const ClusterMap map = example_map();
  const auto block = [](uint64_t placement) { return BlockId{placement << 44 | 12345, 6}; };
  EXPECT_EQ(placement_of(block(0xfffff)), 0xfffffu);
  EXPECT_EQ(map.pool_of(block(0)), &map.pools[0]);
  EXPECT_EQ(map.pool_of(block(0x7ffff)), &map.pools[0]);
  EXPECT_EQ(map.pool_of(block(0x80000)), &map.pools[1]);
  EXPECT_EQ(map.pool_of(block(0x83fff)), &map.pools[1]);
  EXPECT_EQ(map.pool_of(block(0x84000)), nullptr);
  EXPECT_EQ(map.pools[0].pg_of(0x7ffff), 1023u);
  EXPECT_EQ(map.pools[1].pg_of(0x80000), 0u);
  EXPECT_EQ(map.pools[1].pg_of(0x80000 + 5461), 0u);
  EXPECT_EQ(map.pools[1].pg_of(0x80000 + 5462), 1u);
  EXPECT_EQ(map.pools[1].pg_of(0x83fff), 2u);
}

}  // namespace
}  // namespace nacre::wire
