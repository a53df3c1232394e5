#include "place/durability.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/units.h"

namespace nacre::place {
namespace {

// Equal but for the last digits.
void expect_close(double value, double expected) {
  EXPECT_NEAR(value / expected, 1.0, 1e-9) << value << " instead of " << expected;
}

TEST(GroupMttdl, WithoutParityIsTheFirstFailure) {
  expect_close(group_mttdl_hours({1, 0}, 0.001, 1), 1000);
  expect_close(group_mttdl_hours({4, 0}, 0.001, 1), 250);
}

TEST(GroupMttdl, OfOneParityIsTheClassicFormula) {
  // ((2n - 1) f + r) / (n (n - 1) f²) with n = 5, f = 0.01, r = 2
  expect_close(group_mttdl_hours({4, 1}, 0.01, 2), (9 * 0.01 + 2) / (5 * 4 * 0.0001));
  // Two copies: (3 f + r) / 2 f² = (0.03 + 0.5) / 0.0002
  expect_close(group_mttdl_hours({1, 1}, 0.01, 0.5), 2650);
}

TEST(GroupMttdl, OfTwoParityIsWhatTheChainGivesByHand) {
  // Three copies, f = 0.1, r = 1: 1/0.3 = 3.333; (1 + 3.333) / 0.2 = 21.667;
  // (1 + 21.667) / 0.1 = 226.667; together 251.667.
  expect_close(group_mttdl_hours({1, 2}, 0.1, 1), 755.0 / 3);
}

DurabilityInput example() {
  return {.code = {1, 1},
          .devices = 11,
          .pg_count = 1000,
          .device_bytes = 360e9,
          .annual_failure_rate = 1 - std::exp(-1.0),  // a mean life of a year
          .rebuild_bytes_per_second = 1e6,
          .detection_hours = 1};
}

TEST(Durability, OfAClusterIsThatOfItsGroupsTogether) {
  const Durability durability = *durability_of(example());
  expect_close(durability.device_mttf_hours, 8766);
  // 720e9 bytes to read and write at ten times 1e6 a second: 72,000 s, and an hour before.
  expect_close(durability.rebuild_hours, 21);
  const double f = 1.0 / 8766, r = 1.0 / 21;
  expect_close(durability.group_mttdl_hours, (3 * f + r) / (2 * f * f));
  // Of 11 devices there are no more than 55 pairs.
  expect_close(durability.cluster_mttdl_hours, durability.group_mttdl_hours / 55);
  const double years = durability.cluster_mttdl_hours / kHoursPerYear;
  expect_close(durability.annual_loss_probability, 1 - std::exp(-1 / years));
  EXPECT_EQ(durability.nines, 0u);
}

TEST(Durability, CountsGroupsWhereTheyAreFewerThanSets) {
  DurabilityInput input = example();
  input.pg_count = 22;  // each device in four groups, so with four peers
  const Durability durability = *durability_of(input);
  expect_close(durability.rebuild_hours, 1 + 50);
  expect_close(durability.cluster_mttdl_hours, durability.group_mttdl_hours / 22);
}

TEST(Durability, GrowsWithParityAndWithFasterRebuilds) {
  DurabilityInput input{.devices = 100, .pg_count = 4096, .device_bytes = 8.0 * kTiB};
  double before = 1;
  for (uint8_t m = 1; m <= 4; ++m) {
    input.code = {4, m};
    const double probability = durability_of(input)->annual_loss_probability;
    EXPECT_LT(probability, before / 50);
    before = probability;
  }
  EXPECT_GE(durability_of(input)->nines, 10u);
  input.rebuild_bytes_per_second *= 4;
  EXPECT_LT(durability_of(input)->annual_loss_probability, before / 10);
}

TEST(Durability, OfWhatCannotBeIsRefused) {
  const auto fault = [](auto change) {
    DurabilityInput input = example();
    change(input);
    const auto refused = durability_of(input);
    EXPECT_EQ(refused.code(), Code::kInvalid);
    return refused.error().context();
  };
  EXPECT_EQ(fault([](auto& input) { input.devices = 1; }),
            "there are fewer devices than fragments");
  EXPECT_EQ(fault([](auto& input) { input.pg_count = 0; }), "there are no placement groups");
  for (const double rate : {0.0, -1.0, 1.0, std::nan("")}) {
    EXPECT_EQ(fault([=](auto& input) { input.annual_failure_rate = rate; }),
              "the annual failure rate is more than 0 % and less than 100 %");
  }
  EXPECT_EQ(fault([](auto& input) { input.rebuild_bytes_per_second = 0; }),
            "the rebuild rate is more than 0");
}

}  // namespace
}  // namespace nacre::place
