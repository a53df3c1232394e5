#include "wire/checkpoint_layout.h"

#include <gtest/gtest.h>

#include "wire/bucket_fault.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

constexpr CheckpointPlace kPlace{
    .volume = {0x2021222324252627, 0x28292a2b2c2d2e2f}, .epoch = 3, .batch = 9};
constexpr Timestamp kTime{256};

std::vector<codec::Protection> both() { return {codec::Protection(), sealing_with('k')}; }

struct Row {
  uint8_t family;
  std::string key;
  std::string value;
  friend bool operator==(const Row&, const Row&) = default;
};
const std::vector<Row> kRows = {{1, "a", "one"}, {1, "b", ""}, {2, "", "two"}, {2, "a", "three"}};

std::string part_with(const std::vector<Row>& rows, const codec::Protection& protection) {
  CheckpointPartWriter writer(kPlace, kTime, 7);
  for (const Row& row : rows) EXPECT_TRUE(writer.append({row.family, row.key, row.value}).ok());
  return writer.finish(protection);
}

Result<std::vector<Row>> rows_of(const std::string& object, const codec::Protection& protection,
                                 const CheckpointPlace& place = kPlace, uint32_t part = 7) {
  std::vector<Row> rows;
  TRY(visit_checkpoint_part(
      as_bytes(object), place, part, protection, [&](const CheckpointRow& row) -> Status {
        rows.push_back({row.family, std::string(row.key), std::string(row.value)});
        return {};
      }));
  return rows;
}

CheckpointManifest manifest() {
  return {.place = kPlace,
          .time = kTime,
          .committed = {300},
          .rows = 4,
          .row_bytes = 14,
          .inodes = 2,
          .live_bytes = 1,
          .parts = {{.object_bytes = 100, .sum = 0x0102030405060708},
                    {.object_bytes = 200, .sum = 0x090a0b0c0d0e0f10}}};
}

Code manifest_code(const std::string& object, const codec::Protection& protection = {},
                   const CheckpointPlace& place = kPlace) {
  return decode_checkpoint_manifest(as_bytes(object), place, protection).code();
}

TEST(CheckpointPart, HasTheseBytes) {
  EXPECT_EQ(hex_of(part_with({{1, "a", "one"}, {2, "", "two"}}, {})),
            without_spaces("4e434350 0100 0000"
                           "202122232425262728292a2b2c2d2e2f 03000000 00000000"
                           "0700000000000000 0900000000000000 0900000000000000"
                           "0001000000000000 0001000000000000"
                           "00000000000000000000000000000000 68edb469f312c0a9"
                           "1b000000 13000000 01000000"
                           "0a000000 01 0161 6f6e65"
                           "09000000 02 00 74776f 8f5ec8fbaced6905"));
}

TEST(CheckpointPart, ReadsBackWhatWasWritten) {
  std::vector<Row> many = kRows;
  for (int i = 100'000; i < 200'000; ++i) many.push_back({3, std::to_string(i), "value"});
  for (const codec::Protection& protection : both()) {
    for (const std::vector<Row>& rows : {kRows, {}, many}) {
      const auto back = rows_of(part_with(rows, protection), protection);
      ASSERT_TRUE(back.ok());
      EXPECT_TRUE(*back == rows);
    }
  }
}

TEST(CheckpointPart, WithAnyBitFlippedOrCutOffIsCorrupt) {
  for (const codec::Protection& protection : both()) {
    const std::string object = part_with(kRows, protection);
    for (size_t bit = 0; bit < object.size() * 8; ++bit) {
      ASSERT_EQ(rows_of(with_bit_flipped(object, bit), protection).code(), Code::kCorrupt) << bit;
    }
    for (size_t length = 0; length < object.size(); ++length) {
      ASSERT_EQ(rows_of(object.substr(0, length), protection).code(), Code::kCorrupt) << length;
    }
  }
}

TEST(CheckpointPart, MustBeTheOneItsNameSays) {
  const std::string object = part_with(kRows, {});
  EXPECT_EQ(rows_of(object, {}, kPlace, 6).code(), Code::kCorrupt);
  CheckpointPlace place = kPlace;
  place.batch = 8;
  EXPECT_EQ(rows_of(object, {}, place).code(), Code::kCorrupt);
  place = kPlace;
  place.epoch = 4;
  EXPECT_EQ(rows_of(object, {}, place).code(), Code::kCorrupt);
  EXPECT_EQ(rows_of(part_with(kRows, sealing_with('k')), {}).code(), Code::kAccess);
}

TEST(CheckpointPart, WithRowsOutOfOrderIsCorrupt) {
  EXPECT_EQ(rows_of(part_with({{1, "b", ""}, {1, "a", ""}}, {}), {}).code(), Code::kCorrupt);
  EXPECT_EQ(rows_of(part_with({{1, "a", ""}, {1, "a", ""}}, {}), {}).code(), Code::kCorrupt);
  EXPECT_EQ(rows_of(part_with({{2, "a", ""}, {1, "b", ""}}, {}), {}).code(), Code::kCorrupt);
}

TEST(CheckpointManifest, HasTheseBytes) {
  EXPECT_EQ(hex_of(encode_checkpoint_manifest(manifest(), {})),
            without_spaces("4e43434d 0100 0000"
                           "202122232425262728292a2b2c2d2e2f 03000000"
                           "0900000000000000 0001000000000000"
                           "ac02 04 0e 02 01 02"
                           "6400000000000000 0807060504030201"
                           "c800000000000000 100f0e0d0c0b0a09 17dcb7d41c4a7f25 fa555c27b27ade3e"));
}

TEST(CheckpointManifest, ReadsBackWhatWasWritten) {
  for (const codec::Protection& protection : both()) {
    const auto back = decode_checkpoint_manifest(
        as_bytes(encode_checkpoint_manifest(manifest(), protection)), kPlace, protection);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, manifest());
  }
}

TEST(CheckpointManifest, WithAnyBitFlippedOrCutOffIsCorrupt) {
  for (const codec::Protection& protection : both()) {
    const std::string object = encode_checkpoint_manifest(manifest(), protection);
    for (size_t bit = 0; bit < object.size() * 8; ++bit) {
      ASSERT_EQ(manifest_code(with_bit_flipped(object, bit), protection), Code::kCorrupt) << bit;
    }
    for (size_t length = 0; length < object.size(); ++length) {
      ASSERT_EQ(manifest_code(object.substr(0, length), protection), Code::kCorrupt) << length;
      ASSERT_EQ(manifest_code(with_good_sum(object.substr(0, length)), protection), Code::kCorrupt);
    }
  }
}

// The sum of a frame can be made good by anybody; the seal cannot.
TEST(CheckpointManifest, OfASealedVolumeCannotBeForged) {
  const codec::Protection protection = sealing_with('k');
  const std::string object = encode_checkpoint_manifest(manifest(), protection);
  for (size_t bit = 0; bit < (object.size() - 8) * 8; ++bit) {
    const std::string forged = with_good_sum(with_bit_flipped(object, bit));
    ASSERT_FALSE(decode_checkpoint_manifest(as_bytes(forged), kPlace, protection).ok()) << bit;
  }
  EXPECT_EQ(manifest_code(encode_checkpoint_manifest(manifest(), {}), protection), Code::kCorrupt);
  EXPECT_EQ(manifest_code(object), Code::kAccess);
}

TEST(CheckpointManifest, MustBeTheOneItsNameSays) {
  CheckpointPlace place = kPlace;
  place.batch = 8;
  EXPECT_EQ(manifest_code(encode_checkpoint_manifest(manifest(), {}), {}, place), Code::kCorrupt);
}

TEST(CheckpointManifest, CountsAndSumsItsParts) {
  const CheckpointPart part = part_of(as_bytes("object"));
  EXPECT_EQ(part.object_bytes, 6u);
  EXPECT_EQ(part.sum, codec::xxh64(as_bytes("object")));
}

}  // namespace
}  // namespace nacre::wire
