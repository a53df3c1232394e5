#include "model/shrink.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "model/isolated.h"

namespace nacre::model {
namespace {

Script script_of(std::string_view text) {
  auto script = parse_script(text);
  EXPECT_TRUE(script.ok());
  return script.take();
}

bool has(const Script& script, Kind kind, uint64_t least_length) {
  return std::any_of(script.begin(), script.end(), [&](const Operation& operation) {
    return operation.kind == kind && operation.length >= least_length;
  });
}

TEST(Shrink, OnlyWhatFailsTogetherIsLeftAndAsSmallAsItFails) {
  const Script script = script_of(
      "create /a mode=644\nwrite /a offset=77 length=5000 fill=1\nsync /a\nread /a length=10\n"
      "truncate /a length=900\ncommit\nread /a offset=5 length=3\n");
  const auto fails = [](const Script& candidate) {
    return has(candidate, Kind::kWrite, 100) && has(candidate, Kind::kTruncate, 0);
  };
  EXPECT_EQ(to_string(shrink(script, fails, 1000)), "write /a length=100 fill=1\ntruncate /a\n");
}

TEST(Shrink, ItStopsAfterSoManyRuns) {
  size_t runs = 0;
  const auto fails = [&](const Script& candidate) {
    ++runs;
    return !candidate.empty();
  };
  const Script script(100, script_of("commit").front());
  EXPECT_FALSE(shrink(script, fails, 5).empty());
  EXPECT_EQ(runs, 5u);
}

TEST(Isolated, AFailureIsFoundWhereverItIsAndHoweverItEnds) {
  const auto fails_at = [](uint64_t bad) {
    return find_failure("numbers", 10, 50, 2,
                        [=](uint64_t n) { return n == bad ? "bad" : std::string(); });
  };
  EXPECT_EQ(fails_at(10), 10u);
  EXPECT_EQ(fails_at(59), 59u);
  EXPECT_EQ(fails_at(60), std::nullopt);
  const auto dies_at_20 = [](uint64_t n) {
    if (n == 20) ::_exit(3);
    return std::string();
  };
  EXPECT_EQ(find_failure("numbers", 10, 50, 2, dies_at_20), 20u);
  EXPECT_EQ(run_isolated([] { return std::string("said"); }), "said");
  EXPECT_EQ(run_isolated([]() -> std::string { ::_exit(3); }), "exited with 3");
}

}  // namespace
}  // namespace nacre::model
