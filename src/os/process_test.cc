#include "os/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "os/clock.h"
#include "os/fd.h"
#include "os/temp_directory.h"

namespace nacre::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLong(30);

std::string content_of(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::unique_ptr<Process> start(const ProcessOptions& options) {
  auto process = Process::start(options);
  EXPECT_TRUE(process.ok()) << process.error().to_string();
  return process.ok() ? process.take() : nullptr;
}

std::unique_ptr<Process> start_shell(const std::string& script, const std::string& log = "") {
  return start({.program = "sh", .arguments = {"-c", script}, .log_path = log});
}

// What the script says, on both standard outputs.
std::string said_by(ProcessOptions options) {
  const TempDirectory directory;
  options.log_path = directory / "log";
  const auto process = start(options);
  EXPECT_TRUE(process->wait(kLong));
  return content_of(options.log_path);
}

// Waits until `path` holds a line, and gives it.
std::string line_in(const std::string& path) {
  for (int i = 0; i < 3000; ++i) {
    const std::string text = content_of(path);
    if (text.ends_with('\n')) return text.substr(0, text.size() - 1);
    ::usleep(10'000);
  }
  ADD_FAILURE() << path << " stays empty";
  return {};
}

// Neither running nor a zombie that nobody has reaped yet.
bool has_ended(const std::string& pid) {
  const std::string state = content_of("/proc/" + pid + "/stat");
  return state.empty() || state.find(") Z ") != std::string::npos;
}

TEST(Process, GivesTheExitCodeAndTheSignalInWords) {
  EXPECT_TRUE(start_shell("true")->wait(kLong)->clean());
  EXPECT_EQ(start_shell("exit 7")->wait(kLong)->to_string(), "exit code 7");
  EXPECT_EQ(start_shell("kill -9 $$")->wait(kLong)->to_string(), "killed by signal 9 (Killed)");
}

TEST(Process, AppendsBothOutputsToTheLog) {
  const TempDirectory directory;
  std::ofstream(directory / "log") << "before\n";
  start_shell("echo out; echo err >&2", directory / "log")->wait(kLong);
  EXPECT_EQ(content_of(directory / "log"), "before\nout\nerr\n");
}

TEST(Process, AddsReplacesAndHidesVariables) {
  ::setenv("NACRE_TEST_KEPT", "kept", 1);
  ::setenv("NACRE_TEST_REPLACED", "old", 1);
  ::setenv("NACRE_SECRET_ONE", "leaked", 1);
  EXPECT_EQ(said_by({.program = "sh",
                     .arguments = {"-c",
                                   "echo $NACRE_TEST_KEPT $NACRE_TEST_REPLACED "
                                   "$NACRE_SECRET_ONE $NACRE_SECRET_TWO"},
                     .environment = {"NACRE_TEST_REPLACED=new", "NACRE_SECRET_TWO=given"},
                     .hidden_prefixes = {"NACRE_SECRET_"}}),
            "kept new given\n");
}

TEST(Process, InheritsNoDescriptors) {
  const TempDirectory directory;
  const Fd inheritable(::dup(STDOUT_FILENO));
  // ls itself opens one, the directory.
  EXPECT_EQ(said_by({.program = "ls", .arguments = {"/proc/self/fd"}}), "0\n1\n2\n3\n");
}

TEST(Process, HasAProcessGroupOfItsOwn) {
  const auto process = start_shell("sleep 100");
  EXPECT_EQ(::getpgid(process->pid()), process->pid());
}

TEST(Process, SaysWhichProgramIsMissingOrMayNotBeRun) {
  const TempDirectory directory;
  std::ofstream(directory / "data") << "no program";
  const auto missing = Process::start({.program = "nacre-no-such-program"});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_NE(missing.error().context().find("nacre-no-such-program"), std::string::npos);
  EXPECT_EQ(Process::start({.program = "/nowhere/program"}).code(), Code::kNotFound);
  EXPECT_EQ(Process::start({.program = directory / "data"}).code(), Code::kAccess);
}

TEST(Process, WaitsNoLongerThanItsLimit) {
  const auto process = start_shell("sleep 100");
  EXPECT_FALSE(process->wait({}));
  EXPECT_FALSE(process->wait(milliseconds(20)));
}

TEST(Process, IsTerminatedPolitelyAndThenByForce) {
  EXPECT_EQ(start_shell("sleep 100")->terminate(kLong).to_string(),
            "killed by signal 15 (Terminated)");
  const TempDirectory directory;
  const auto stubborn =
      start_shell("trap '' TERM; echo up; while :; do sleep 1; done", directory / "log");
  EXPECT_EQ(line_in(directory / "log"), "up");
  EXPECT_EQ(stubborn->terminate(milliseconds(50)).to_string(), "killed by signal 9 (Killed)");
  EXPECT_EQ(stubborn->terminate({}).to_string(), "killed by signal 9 (Killed)");
}

TEST(Process, TakesItsOwnChildrenAlong) {
  const TempDirectory directory;
  {
    const auto process = start_shell("sleep 100 & echo $!; wait", directory / "log");
    line_in(directory / "log");
  }
  const std::string grandchild = line_in(directory / "log");
  for (int i = 0; i < 1000 && !has_ended(grandchild); ++i) ::usleep(10'000);
  EXPECT_TRUE(has_ended(grandchild));
}

// The parent that gets killed is this program again, with this variable set.
constexpr const char* kPidFileVariable = "NACRE_TEST_PID_FILE";

void start_a_child_and_wait(const std::string& pid_file) {
  const auto child = start_shell("sleep 100");
  std::ofstream(pid_file) << child->pid() << "\n";
  child->wait(kLong);
}

TEST(Process, EndsWhenItsParentIsKilled) {
  if (const char* const pid_file = ::getenv(kPidFileVariable)) {
    return start_a_child_and_wait(pid_file);
  }
  const TempDirectory directory;
  const std::string pid_file = directory / "pid";
  const auto parent =
      start({.program = "/proc/self/exe",
             .arguments = {"--gtest_filter=Process.EndsWhenItsParentIsKilled"},
             .environment = {kPidFileVariable + ("=" + pid_file), "GTEST_OUTPUT="}});
  const std::string child = line_in(pid_file);
  EXPECT_FALSE(has_ended(child));
  ::kill(parent->pid(), SIGKILL);
  for (int i = 0; i < 1000 && !has_ended(child); ++i) ::usleep(10'000);
  EXPECT_TRUE(has_ended(child));
}

}  // namespace
}  // namespace nacre::os
