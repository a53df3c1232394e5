#include "cli/tier_report.h"

#include <gmock/gmock.h>

namespace nacre::cli {
namespace {

using node::Json;
using testing::HasSubstr;
using testing::Not;

Json status() {
  return {{"bucket", "s3://bucket/vol"},
          {"endpoint", "https://host"},
          {"cache", {{"target_bytes", 64 << 20}, {"used_bytes", 32 << 20}}},
          {"dirty", {{"blocks", 3}, {"bytes", 12 << 20}, {"oldest_ns", 61'000'000'000}}},
          {"upload", {{"bytes_per_second", 1 << 20}, {"trouble", ""}, {"failures", 2}}},
          {"rows", {{"last_batch", 12}, {"shipped_batch", 10}, {"trouble", ""}}}};
}

TEST(TierReport, SaysHowLongUploadsWillTake) {
  EXPECT_THAT(tier_text(status()), HasSubstr("uploads    1.00 MiB/s, 12 s to go\n"));
  Json idle = status();
  idle["upload"]["bytes_per_second"] = 0;
  EXPECT_THAT(tier_text(idle), HasSubstr("uploads    well\n"));
  idle["upload"]["trouble"] = "no such bucket";
  EXPECT_THAT(tier_text(idle), HasSubstr("uploads    waits: no such bucket\n"));
}

TEST(TierReport, MetricsBearTheVolumeAndUnitsOfPrometheus) {
  const std::string metrics = tier_metrics(status(), "/srv/\"vol\"");
  for (const char* const line :
       {"# TYPE nacre_tier_dirty_bytes gauge\n",
        "nacre_tier_dirty_bytes{volume=\"/srv/\\\"vol\\\"\"} 12582912\n",
        "nacre_tier_oldest_dirty_seconds{volume=\"/srv/\\\"vol\\\"\"} 61\n",
        "# TYPE nacre_tier_upload_failures_total counter\n",
        "nacre_tier_upload_failures_total{volume=\"/srv/\\\"vol\\\"\"} 2\n",
        "nacre_tier_row_batches_behind{volume=\"/srv/\\\"vol\\\"\"} 2\n",
        "nacre_tier_uploads_wait{volume=\"/srv/\\\"vol\\\"\"} 0\n"}) {
    EXPECT_THAT(metrics, HasSubstr(line));
  }
}

TEST(TierReport, MetricsAddPinsUp) {
  Json pinned = status();
  for (const char* const path : {"/one", "/two"}) {
    pinned["pins"].push_back({{"path", path}, {"bytes", 1000}, {"missing_bytes", 300}});
  }
  const std::string metrics = tier_metrics(pinned, "vol");
  EXPECT_THAT(metrics, HasSubstr("nacre_tier_pinned_bytes{volume=\"vol\"} 2000\n"));
  EXPECT_THAT(metrics, HasSubstr("nacre_tier_pinned_missing_bytes{volume=\"vol\"} 600\n"));
}

TEST(TierReport, TextOfTheBucketCannotCommandTheTerminal) {
  Json evil = status();
  evil["upload"]["trouble"] = "\033[2J";
  EXPECT_THAT(tier_text(evil), Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace nacre::cli
