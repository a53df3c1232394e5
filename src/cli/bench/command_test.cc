#include "cli_bench/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace nacre::cli::bench {
namespace {

using ::testing::HasSubstr;

// Runs `nacre bench` with a new directory and small sizes, as main() would.
class BenchCommand : public ::testing::Test {
 protected:
  BenchCommand() {
    directory_ = (std::filesystem::temp_directory_path() / "bench-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
  }
  ~BenchCommand() override { std::filesystem::remove_all(directory_); }

  void run(std::vector<std::string> arguments) {
    CLI::App app("nacre");
    add_command(app, exit_code_);
    arguments.insert(arguments.begin(), {"bench", "--files=5", "--threads=2"});
    std::ranges::reverse(arguments);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    app.parse(arguments);
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
  }

  std::string directory_;
  int exit_code_ = -1;
  std::string out_;
  std::string err_;
};

TEST_F(BenchCommand, PrintsATableOfTheChosenRowsAndNothingElse) {
  run({directory_, "--only", "create,rename", "--size=16KiB"});
  EXPECT_EQ(exit_code_, 0);
  EXPECT_THAT(out_, HasSubstr("\nrename "));
  EXPECT_EQ(std::ranges::count(out_, '\n'), 3);
  EXPECT_EQ(err_, "");
}

TEST_F(BenchCommand, PrintsJsonOnRequest) {
  run({directory_, "--size=16KiB", "--json", "--seed", "5", "--only", "create", "--only",
       "unlink"});
  EXPECT_EQ(exit_code_, 0);
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["options"]["size_bytes"], 16384);
  EXPECT_EQ(json["options"]["seed"], 5);
  EXPECT_EQ(json["rows"].size(), 2u);
}

TEST_F(BenchCommand, AFailureIsToldOnStderr) {
  run({directory_ + "/missing"});
  EXPECT_EQ(exit_code_, 1);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, HasSubstr("nacre bench: "));
  EXPECT_THAT(err_, HasSubstr("/missing"));
}

TEST_F(BenchCommand, ASizeThatIsNoneIsRefused) {
  run({directory_, "--size", "big"});
  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(err_, HasSubstr("'big'"));
}

TEST_F(BenchCommand, ASignalEndsItCleanlyAndHandlersComeBack) {
  // The shell of the cold command has this process as its parent.
  run({directory_, "--cold-command", "kill -TERM $PPID"});
  EXPECT_EQ(exit_code_, 130);
  EXPECT_THAT(err_, HasSubstr("interrupted"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
  struct sigaction now = {};
  ASSERT_EQ(::sigaction(SIGTERM, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

}  // namespace
}  // namespace nacre::cli::bench
