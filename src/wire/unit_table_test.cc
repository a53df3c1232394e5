#include "wire/unit_table.h"

#include <gtest/gtest.h>

#include "wire/golden.h"

namespace nacre::wire {
namespace {

TEST(UnitTable, HasTheseBytes) {
  const std::vector<uint32_t> lengths = {0x1234, 0x10000, 5};
  EXPECT_EQ(hex_of(encode_unit_table(lengths)), "341200000000010005000000");
}

TEST(UnitTable, GivesTheBeginningOfEachUnit) {
  const std::vector<uint32_t> lengths = {1000, 65536, 5};
  const std::string table = encode_unit_table(lengths);
  const auto begins = decode_unit_table(as_bytes(table), 2 * 65536 + 7, 66541);
  ASSERT_TRUE(begins.ok());
  EXPECT_EQ(*begins, (std::vector<uint32_t>{0, 1000, 66536, 66541}));
}

TEST(UnitTable, CutsABlockIntoUnitsAndARest) {
  EXPECT_EQ(unit_count(0), 0u);
  EXPECT_EQ(unit_count(1), 1u);
  EXPECT_EQ(unit_count(65536), 1u);
  EXPECT_EQ(unit_count(65537), 2u);
  EXPECT_EQ(unit_length(65537, 0), 65536u);
  EXPECT_EQ(unit_length(65537, 1), 1u);
}

TEST(UnitTable, RefusesLengthsThatCannotBe) {
  const auto code = [](std::vector<uint32_t> lengths, uint32_t logical, uint32_t payload) {
    return decode_unit_table(as_bytes(encode_unit_table(lengths)), logical, payload).code();
  };
  EXPECT_EQ(code({10, 10}, 65536, 20), Code::kCorrupt);            // a unit too many
  EXPECT_EQ(code({10}, 65537, 10), Code::kCorrupt);                // one too few
  EXPECT_EQ(code({0}, 100, 0), Code::kCorrupt);                    // an empty one
  EXPECT_EQ(code({101}, 100, 101), Code::kCorrupt);                // one longer than it was
  EXPECT_EQ(code({50, 50}, 65537 + 100, 101), Code::kCorrupt);     // not the payload's length
  EXPECT_EQ(code({65536, 65536}, 131072, 65536), Code::kCorrupt);  // past the payload
}

}  // namespace
}  // namespace nacre::wire
