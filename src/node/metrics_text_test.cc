#include "node/metrics_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nacre::node {
namespace {

using Kind = MetricsText::Kind;

TEST(MetricsText, IsWhatPrometheusReads) {
  MetricsText text;
  text.family("nacre_calls_total", Kind::kCounter, "Calls, by method.");
  text.sample(3, {{"method", "get"}, {"result", "ok"}});
  text.sample(uint64_t{1} << 63, {{"method", "put"}, {"result", "ok"}});
  text.one("nacre_up", Kind::kGauge, "Whether it is.", 1);
  text.one("nacre_seconds", Kind::kGauge, "How long.", 0.25);
  EXPECT_EQ(text.take(),
            "# HELP nacre_calls_total Calls, by method.\n"
            "# TYPE nacre_calls_total counter\n"
            "nacre_calls_total{method=\"get\",result=\"ok\"} 3\n"
            "nacre_calls_total{method=\"put\",result=\"ok\"} 9223372036854775808\n"
            "# HELP nacre_up Whether it is.\n"
            "# TYPE nacre_up gauge\n"
            "nacre_up 1\n"
            "# HELP nacre_seconds How long.\n"
            "# TYPE nacre_seconds gauge\n"
            "nacre_seconds 0.25\n");
}

TEST(MetricsText, EscapesWhatHasAMeaning) {
  MetricsText text;
  text.family("nacre_info", Kind::kGauge, "A \"quote\", a \\ and\na line.");
  text.sample(1, {{"name", "a \"b\" \\ c\nd\té"}});
  EXPECT_EQ(text.take(),
            "# HELP nacre_info A \"quote\", a \\\\ and\\na line.\n"
            "# TYPE nacre_info gauge\n"
            "nacre_info{name=\"a \\\"b\\\" \\\\ c\\nd\té\"} 1\n");
}

// Prometheus refuses all of a page with a label that is no UTF-8.
TEST(MetricsText, ReplacesWhatIsNoUtf8) {
  MetricsText text;
  text.family("nacre_info", Kind::kGauge, "Info.");
  text.sample(1, {{"path", "/a\xff/é"}});
  EXPECT_TRUE(text.take().ends_with("{path=\"/a\uFFFD/é\"} 1\n"));
}

TEST(MetricsText, HasWordsForWhatIsNoNumber) {
  MetricsText text;
  text.family("nacre_odd", Kind::kGauge, "Odd.");
  for (const double value : {std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), std::nan("")}) {
    text.sample(value);
  }
  EXPECT_TRUE(text.take().ends_with("nacre_odd +Inf\nnacre_odd -Inf\nnacre_odd NaN\n"));
}

TEST(MetricsText, CountsBucketsUpwards) {
  DurationHistogram histogram;
  histogram.add(100'000);         // on the first bound
  histogram.add(100'001);         // in the second bucket
  histogram.add(20'000'000'000);  // beyond all
  MetricsText text;
  text.family("nacre_call_seconds", Kind::kHistogram, "How long calls took.");
  text.sample(histogram.counts(), {{"method", "get"}});
  const std::string got = text.take();
  for (const char* line :
       {"_bucket{method=\"get\",le=\"0.0001\"} 1\n", "_bucket{method=\"get\",le=\"0.00025\"} 2\n",
        "_bucket{method=\"get\",le=\"10\"} 2\n", "_bucket{method=\"get\",le=\"+Inf\"} 3\n",
        "_count{method=\"get\"} 3\n", "_sum{method=\"get\"} 20.000200001\n"}) {
    EXPECT_TRUE(got.contains("nacre_call_seconds" + std::string(line))) << line << got;
  }
}

TEST(MetricsTextDeathTest, RefusesAFamilyTwiceAndWrongNames) {
  MetricsText text;
  text.family("nacre_up", Kind::kGauge, "Up.");
  EXPECT_DEATH(text.family("nacre_up", Kind::kGauge, "Up."), "names_");
  EXPECT_DEATH(text.family("nacre up", Kind::kGauge, "Up."), "is_name");
  EXPECT_DEATH(text.sample(1, {{"a-b", ""}}), "is_name");
}

}  // namespace
}  // namespace nacre::node
