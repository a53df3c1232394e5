#include "cli_bench/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace nacre::cli::bench {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;

// A directory of its own that must be empty again after each run.
class Bench : public ::testing::Test {
 protected:
  Bench() {
    directory_ = (std::filesystem::temp_directory_path() / "bench-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    options_.files = 20;
    options_.size_bytes = 64 * kKiB;
    options_.threads = 3;
  }
  ~Bench() override { std::filesystem::remove_all(directory_); }

  bool is_empty() const { return std::filesystem::is_empty(directory_); }

  void expect_counted(const Row& row) const {
    EXPECT_GT(row.value, 0) << row.name;
    EXPECT_GT(row.seconds, 0) << row.name;
    const bool sequential = row.name.starts_with("seq_");
    const bool random = row.name.starts_with("random_");
    uint64_t count = options_.files;
    if (row.name == "create_parallel") count *= options_.threads;
    if (random) count = options_.size_bytes / (4 * kKiB);
    if (sequential) count = 1;
    EXPECT_EQ(row.count, count) << row.name;
    const bool has_bytes =
        sequential || random || row.name.starts_with("file_") || row.name == "append_fsync";
    const uint64_t each = sequential ? options_.size_bytes : 4 * kKiB;
    EXPECT_EQ(row.bytes, has_bytes ? count * each : 0) << row.name;
  }

  static void expect_latency(const Row& row) {
    const bool timed_singly = row.unit == "ops/s" && row.name != "readdir_stat";
    ASSERT_EQ(row.latency.has_value(), timed_singly) << row.name;
    if (!timed_singly) return;
    EXPECT_GT(row.latency->p50_us, 0) << row.name;
    EXPECT_LE(row.latency->p50_us, row.latency->p99_us) << row.name;
    EXPECT_LE(row.latency->p99_us, row.seconds * 1e6) << row.name;
  }

  std::string directory_;
  Options options_;
};

TEST_F(Bench, ARunMeasuresEveryRowInTheOrderOfTheList) {
  const auto rows = run(directory_, options_, {});
  ASSERT_TRUE(rows.ok()) << rows.error().to_string();
  EXPECT_TRUE(is_empty());
  const std::vector<Row> all = all_rows();
  ASSERT_EQ(rows->size(), all.size());
  for (size_t index = 0; index < all.size(); ++index) {
    const Row& row = (*rows)[index];
    EXPECT_EQ(row.name, all[index].name);
    EXPECT_FALSE(row.includes.empty()) << row.name;
    expect_counted(row);
    expect_latency(row);
    // Cold or, without the right to drop caches, lukewarm.
    const bool warm = row.caches == Caches::kWarm;
    EXPECT_EQ(warm, all[index].caches == Caches::kWarm) << row.name;
  }
}

TEST_F(Bench, EachRowRunsAlone) {
  for (const Row& known : all_rows()) {
    options_.only = {known.name};
    const auto rows = run(directory_, options_, {});
    ASSERT_TRUE(rows.ok()) << known.name << ": " << rows.error().to_string();
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_EQ(rows->front().name, known.name);
    EXPECT_TRUE(is_empty()) << known.name;
  }
}

TEST_F(Bench, AnUnknownRowIsRefusedWithTheListOfRows) {
  options_.only = {"create", "creat"};
  const auto rows = run(directory_, options_, {});
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.code(), Code::kInvalid);
  EXPECT_THAT(rows.error().context(), HasSubstr("'creat'"));
  EXPECT_THAT(rows.error().context(), HasSubstr("random_write"));
}

TEST_F(Bench, SenselessSizesAreRefused) {
  const auto refused = [this](auto spoil) {
    Options options = options_;
    spoil(options);
    return run(directory_, options, {}).code() == Code::kInvalid;
  };
  EXPECT_TRUE(refused([](Options& options) { options.files = 0; }));
  EXPECT_TRUE(refused([](Options& options) { options.size_bytes = 1; }));
  EXPECT_TRUE(refused([](Options& options) { options.threads = 0; }));
  EXPECT_TRUE(refused([](Options& options) { options.threads = 100'000; }));
  EXPECT_TRUE(is_empty());
}

TEST_F(Bench, AMissingDirectoryIsNamed) {
  const auto rows = run(directory_ + "/missing", options_, {});
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.code(), Code::kNotFound);
  EXPECT_THAT(rows.error().context(), HasSubstr(directory_ + "/missing"));
}

TEST_F(Bench, ProgressNamesEachRowTwice) {
  options_.only = {"create", "create_parallel"};
  std::vector<Step> steps;
  ASSERT_TRUE(run(directory_, options_, [&](const Step& step) { steps.push_back(step); }).ok());
  ASSERT_EQ(steps.size(), 4u);
  EXPECT_FALSE(steps[0].measuring);
  EXPECT_TRUE(steps[1].measuring);
  EXPECT_EQ(steps[1].index, 0u);
  EXPECT_EQ(steps[3].index, 1u);
  EXPECT_EQ(steps[3].title, "creates, 3 threads");
  EXPECT_THAT(steps, Each(Field(&Step::rows, 2u)));
}

TEST_F(Bench, AnInterruptedRunLeavesNothingBehind) {
  for (const Row& known : all_rows()) {
    options_.only = {known.name};
    std::atomic<bool> stop = false;
    options_.stop = &stop;
    const auto rows = run(directory_, options_, [&](const Step& step) { stop = step.measuring; });
    ASSERT_FALSE(rows.ok()) << known.name;
    EXPECT_EQ(rows.code(), Code::kBusy);
    EXPECT_TRUE(is_empty()) << known.name;
  }
}

TEST_F(Bench, AFailingRowLeavesNothingBehind) {
  options_.only = {"stat_cold"};
  options_.cold_command = "rm -r " + directory_ + "/.nacre-bench-*/stat_cold";
  const auto rows = run(directory_, options_, {});
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.code(), Code::kNotFound);
  EXPECT_TRUE(is_empty());
}

TEST_F(Bench, TheColdCommandRunsBeforeColdRowsOnly) {
  const std::string log = directory_ + ".log";
  options_.only = {"create", "stat_cold", "random_read"};
  options_.cold_command = "echo ran >> " + log;
  ASSERT_TRUE(run(directory_, options_, {}).ok());
  std::ifstream lines(log);
  int count = 0;
  for (std::string line; std::getline(lines, line);) ++count;
  EXPECT_EQ(count, 2);
  std::filesystem::remove(log);
}

TEST_F(Bench, AFailingColdCommandEndsTheRun) {
  options_.only = {"stat_cold"};
  options_.cold_command = "exit 3";
  const auto rows = run(directory_, options_, {});
  ASSERT_FALSE(rows.ok());
  EXPECT_THAT(rows.error().context(), HasSubstr("exit 3"));
  EXPECT_TRUE(is_empty());
}

}  // namespace
}  // namespace nacre::cli::bench
