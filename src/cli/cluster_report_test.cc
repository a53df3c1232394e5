#include "cli/cluster_report.h"

#include <gtest/gtest.h>

namespace nacre::cli {
namespace {

SimulatedReport example() {
  SimulatedReport report;
  report.cluster = {.nodes = 12, .zones = 3, .code = {4, 2}, .device_bytes = 8 * kTiB};
  report.simulation.pg_count = 4096;
  report.simulation.fragments_per_device = 204.8;
  place::SimulatedStep first{.name = "initial layout", .fill = {0.996, 1.001, 0.002}};
  first.devices = 120;
  first.fragments = 1000;
  first.seconds = 0.014;
  place::SimulatedStep second = first;
  second.name = "add a node";
  second.moved = second.moved_min = 77;
  second.receivers = 10;
  report.simulation.steps = {first, second};
  report.annual_failure_rate = 0.02;
  report.rebuild_bytes_per_second = 100 * kMiB;
  report.durability = place::Durability{.rebuild_hours = 1,
                                        .cluster_mttdl_hours = 8766 * 1e7,
                                        .annual_loss_probability = 1e-7,
                                        .nines = 7};
  return report;
}

TEST(ClusterReport, IsATableForPeople) {
  EXPECT_EQ(text_of(example(), false), R"(CLUSTER
nodes             12 in 3 zones
devices           120 of 8.00 TiB
protection        4+2
placement groups  4096, 204.8 fragments on each device

EVENT           DEVICES  FILL MIN       MAX  STDDEV   MOVED   LEAST  WRITERS  UNAVAILABLE  SECONDS
initial layout      120   99.60 %  100.10 %  0.20 %       -       -        -            -     0.01
add a node          120   99.60 %  100.10 %  0.20 %  7.70 %  7.70 %       10     0 groups     0.01

DURABILITY
devices that fail in a year    2.00 %
rebuild rate of each device    100 MiB/s
rebuild of a full device       60 min
mean time to data loss         1e+07 years
chance of data loss in a year  1e-07, 7 nines
)");
}

TEST(ClusterReport, SaysWhenThereAreTooFewDevices) {
  SimulatedReport report = example();
  report.durability.reset();
  EXPECT_NE(text_of(report, false).find("there are fewer devices than fragments"),
            std::string::npos);
  EXPECT_TRUE(json_of(report)["durability"].is_null());
}

TEST(ClusterReport, IsJsonForScripts) {
  const node::Json json = json_of(example());
  EXPECT_EQ(json["cluster"]["pg_count"], 4096);
  EXPECT_EQ(json["steps"][1]["name"], "add a node");
  EXPECT_EQ(json["steps"][1]["moved"], 77);
  EXPECT_EQ(json["durability"]["nines"], 7);
}

TEST(Parts, AreReadAsPeopleWriteThem) {
  EXPECT_DOUBLE_EQ(*parse_part("2%"), 0.02);
  EXPECT_DOUBLE_EQ(*parse_part("0.5 %"), 0.005);
  EXPECT_DOUBLE_EQ(*parse_part("0.02"), 0.02);
  for (const char* const text : {"", "%", "2", "-1%", "101%", "2 percent", "nan", "inf", "2%%"}) {
    EXPECT_EQ(parse_part(text).code(), Code::kInvalid) << text;
  }
}

TEST(Hours, GetTheUnitThatFits) {
  EXPECT_EQ(hours_text(0.25), "15 min");
  EXPECT_EQ(hours_text(30), "30 h");
  EXPECT_EQ(hours_text(1e6), "114 years");
  EXPECT_EQ(hours_text(1e30), "1.1e+26 years");
}

}  // namespace
}  // namespace nacre::cli
