#include "cli_bench/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace nacre::cli::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Row rename_row() {
  Row row;
  row.name = "rename";
  row.title = "rename";
  row.unit = "ops/s";
  row.value = 44900.4;
  row.count = 1500;
  row.seconds = 0.0334;
  row.latency = Latency{20.25, 123.4};
  row.includes = "one rename";
  return row;
}

Row read_row() {
  Row row;
  row.name = "seq_read_cold";
  row.title = "sequential read, cold";
  row.unit = "MiB/s";
  row.value = 778;
  row.count = 256;
  row.bytes = 256 * kMiB;
  row.seconds = 0.329;
  row.caches = Caches::kCold;
  return row;
}

TEST(Report, TheTableIsAligned) {
  EXPECT_EQ(
      format_table({rename_row(), read_row()}),
      "row                         value  unit      p50 us     p99 us      count    seconds\n"
      "rename                     44,900  ops/s       20.2        123       1500      0.033\n"
      "sequential read, cold         778  MiB/s          -          -        256      0.329\n");
}

TEST(Report, NumbersKeepThreeDigits) {
  Row row = rename_row();
  row.value = 1234567;
  row.latency = Latency{0.456, 99.94};
  const std::string table = format_table({row});
  EXPECT_THAT(table, HasSubstr(" 1,234,567  ops/s"));
  EXPECT_THAT(table, HasSubstr(" 0.46 "));
  EXPECT_THAT(table, HasSubstr(" 99.9 "));
}

TEST(Report, ALukewarmRowSaysSoAndWhy) {
  Row row = read_row();
  EXPECT_THAT(format_table({row}), Not(HasSubstr("lukewarm")));
  row.caches = Caches::kLukewarm;
  EXPECT_THAT(format_table({row}), HasSubstr("  lukewarm\n"));
  EXPECT_THAT(format_table({row}), HasSubstr("needs root"));
}

TEST(Report, JsonHasEveryField) {
  Options options;
  options.files = 7;
  options.size_bytes = 4096;
  options.threads = 2;
  options.seed = 9;
  const auto json =
      nlohmann::json::parse(to_json("/some/dir", options, {rename_row(), read_row()}));
  EXPECT_EQ(json["directory"], "/some/dir");
  EXPECT_EQ(json["options"]["files"], 7);
  EXPECT_EQ(json["options"]["size_bytes"], 4096);
  EXPECT_EQ(json["options"]["threads"], 2);
  EXPECT_EQ(json["options"]["seed"], 9);
  ASSERT_EQ(json["rows"].size(), 2u);
  const auto& rename = json["rows"][0];
  EXPECT_EQ(rename["name"], "rename");
  EXPECT_EQ(rename["unit"], "ops/s");
  EXPECT_EQ(rename["value"], 44900.4);
  EXPECT_EQ(rename["count"], 1500);
  EXPECT_EQ(rename["bytes"], 0);
  EXPECT_EQ(rename["seconds"], 0.0334);
  EXPECT_EQ(rename["p50_us"], 20.25);
  EXPECT_EQ(rename["p99_us"], 123.4);
  EXPECT_EQ(rename["caches"], "warm");
  EXPECT_EQ(rename["includes"], "one rename");
  const auto& read = json["rows"][1];
  EXPECT_EQ(read["title"], "sequential read, cold");
  EXPECT_EQ(read["bytes"], 256 * kMiB);
  EXPECT_TRUE(read["p50_us"].is_null());
  EXPECT_TRUE(read["p99_us"].is_null());
  EXPECT_EQ(read["caches"], "cold");
}

TEST(Report, ADirectoryThatIsNoUtf8StillGivesJson) {
  const auto json = nlohmann::json::parse(to_json("/\xff", Options(), {}));
  EXPECT_EQ(json["directory"], "/\uFFFD");
  EXPECT_TRUE(json["rows"].empty());
}

}  // namespace
}  // namespace nacre::cli::bench
