#include "wire/pg_layout.h"

#include <gtest/gtest.h>

#include "codec/checksum.h"
#include "wire/cursor.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

PgTable example() {
  PgTable table(5, 3, 2);
  table.set_group(0, {.devices = {{1}, {300}, {2}}, .sources = {{}, {}, {}}, .epoch = 7});
  table.set_group(1, {.devices = {{4}, kNoDevice, {6}},
                      .sources = {{200}, {}, kLost},
                      .epoch = 300,
                      .stale = true});
  return table;
}

std::string patched(std::string value, size_t offset, std::string_view bytes) {
  value.replace(offset, bytes.size(), bytes);
  std::string checksum;
  Writer(checksum).u64(codec::xxh64(as_bytes(value).first(value.size() - 8)));
  return value.replace(value.size() - 8, 8, checksum);
}

constexpr size_t kBody = 38;  // where the body of a frame begins

TEST(PgChunk, HasTheseBytes) {
  EXPECT_EQ(hex_of(encode_pg_chunk(example(), 0)),
            without_spaces("4e61637265504773 0100 49000000"
                           "0000000000000000 0000000000000000 0000000000000000"
                           "0500 03 02000000 00000000"
                           "00 07 01 ac02 02"
                           "03 ac02 04 00 06 c901 00 01"
                           "82d23f4865c71537"));
}

TEST(PgChunk, ReadsBackWhatWasWritten) {
  PgTable back(5, 3, 2);
  const Result<uint32_t> chunk = apply_pg_chunk(as_bytes(encode_pg_chunk(example(), 0)), back);
  ASSERT_TRUE(chunk.ok()) << chunk.error().to_string();
  EXPECT_EQ(*chunk, 0u);
  EXPECT_EQ(back, example());
}

TEST(PgChunk, IsOneOfMany) {
  PgTable table(1, 2, 2 * kPgsPerChunk + 1), back = table;
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    table.set_group(pg, {.devices = {{pg + 1}, {pg + 2}}, .sources = {{}, {}}, .epoch = pg});
  }
  ASSERT_EQ(chunk_count_of(table.size()), 3u);
  for (const uint32_t chunk : {2u, 0u, 1u}) {
    EXPECT_EQ(*apply_pg_chunk(as_bytes(encode_pg_chunk(table, chunk)), back), chunk);
  }
  EXPECT_EQ(back, table);
}

TEST(PgChunk, IsNeverLongerThanItsBound) {
  PgTable table(1, 32, kPgsPerChunk);
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    PlacementGroup group{.epoch = UINT64_MAX, .stale = true};
    for (uint32_t i = 0; i < 32; ++i) {
      group.devices.push_back({kMaxDeviceNumber - i});
      group.sources.push_back({kMaxDeviceNumber - 32 - i});
    }
    table.set_group(pg, group);
  }
  EXPECT_LE(encode_pg_chunk(table, 0).size(), kMaxPgChunkBytes);
}

TEST(PgChunk, WithAnyBitFlippedIsCorruptAndChangesNothing) {
  const std::string bytes = encode_pg_chunk(example(), 0);
  PgTable table(5, 3, 2);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    ASSERT_EQ(apply_pg_chunk(as_bytes(bad), table).code(), Code::kCorrupt) << bit;
  }
  EXPECT_EQ(table, PgTable(5, 3, 2));
}

TEST(PgChunk, OfAnotherTableIsRefused) {
  const std::string bytes = encode_pg_chunk(example(), 0);
  PgTable pool(6, 3, 2), wider(5, 4, 2), larger(5, 3, 3);
  const Result<uint32_t> refused = apply_pg_chunk(as_bytes(bytes), pool);
  EXPECT_EQ(refused.code(), Code::kCorrupt);
  EXPECT_EQ(refused.error().context(),
            "the chunk is of pool 5 with 2 groups of 3 instead of pool 6 with 2 groups of 3");
  EXPECT_EQ(apply_pg_chunk(as_bytes(bytes), wider).code(), Code::kCorrupt);
  EXPECT_EQ(apply_pg_chunk(as_bytes(bytes), larger).code(), Code::kCorrupt);
}

TEST(PgChunk, ThatContradictsItselfIsCorrupt) {
  const std::string bytes = encode_pg_chunk(example(), 0);
  const size_t group = kBody + 11;
  const auto code_of = [&](size_t offset, std::string_view patch) {
    PgTable table(5, 3, 2);
    return apply_pg_chunk(as_bytes(patched(bytes, offset, patch)), table).code();
  };
  EXPECT_EQ(code_of(kBody + 7, "\x01"), Code::kCorrupt);   // no chunk begins there
  EXPECT_EQ(code_of(group, "\x04"), Code::kCorrupt);       // a flag that there is not
  EXPECT_EQ(code_of(group + 2, "\x02"), Code::kCorrupt);   // a device twice
  EXPECT_EQ(code_of(group + 6, "\x02"), Code::kCorrupt);   // lost, but not stale
  EXPECT_EQ(code_of(group + 14, "\x02"), Code::kCorrupt);  // a source for nobody
  EXPECT_EQ(code_of(8, "\x02"), Code::kNewerFormat);
  EXPECT_EQ(code_of(30, "\x01"), Code::kNewerFormat);
}

TEST(PlacementGroup, HoldsEachDeviceOnce) {
  const auto fault = [](std::vector<DeviceNumber> devices, std::vector<DeviceNumber> sources) {
    return fault_of({.devices = std::move(devices), .sources = std::move(sources)}, 3);
  };
  EXPECT_EQ(fault({{1}, {2}, {}}, {{3}, {}, {}}), "");
  EXPECT_EQ(fault({{1}, {2}}, {{}, {}}), "a group should have 3 positions");
  EXPECT_EQ(fault({{1}, {2}, {1}}, {{}, {}, {}}), "device 1 stands twice in a group");
  EXPECT_EQ(fault({{1}, {2}, {3}}, {{4}, {4}, {}}), "device 4 stands twice in a group");
  EXPECT_EQ(fault({{1}, {2}, {3}}, {{}, {1}, {}}), "device 1 stands twice in a group");
  EXPECT_EQ(fault({{1}, {2}, {}}, {{}, {}, {7}}), "a fragment moves to no device");
  EXPECT_EQ(fault({{1}, {2}, {3}}, {kLost, {}, {}}),
            "a fragment is lost and its group is not stale");
  EXPECT_EQ(fault({kLost, {2}, {3}}, {{}, {}, {}}), "an impossible device number");
}

}  // namespace
}  // namespace nacre::wire
