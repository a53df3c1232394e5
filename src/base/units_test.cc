#include "base/units.h"

#include <gtest/gtest.h>

namespace nacre {
namespace {

TEST(Units, SizesAreReadWithAndWithoutUnits) {
  EXPECT_EQ(*parse_size("512"), 512u);
  EXPECT_EQ(*parse_size("4MiB"), 4 * kMiB);
  EXPECT_EQ(*parse_size("20G"), 20 * kGiB);
  EXPECT_EQ(*parse_size("1.5 kb"), 1536u);
}

TEST(Units, NonsenseIsRefusedWithAHint) {
  for (const char* text : {"", "x", "-1", "4XiB", "4MiBs", "1e40", "nan"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.code(), Code::kInvalid);
    EXPECT_NE(size.error().context().find("4MiB"), std::string::npos);
  }
}

TEST(Units, SizesArePrintedForPeople) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1536), "1.50 KiB");
  EXPECT_EQ(format_size(150 * kGiB), "150 GiB");
}

Result<int> twice(Result<int> value) { return 2 * TRY(std::move(value)); }

TEST(Result, TryGivesTheValueOrReturnsTheError) {
  EXPECT_EQ(*twice(21), 42);
  EXPECT_EQ(twice(Code::kBusy).code(), Code::kBusy);
}

}  // namespace
}  // namespace nacre
