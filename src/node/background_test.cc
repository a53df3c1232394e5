#include "node/background.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "os/temp_directory.h"

namespace nacre::node {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Runs `child` in the background and gives what the parent was told.
template <class Body>
Status run(Body child) {
  auto background = Background::fork();
  if (!background.ok()) return background.error();
  if (background->is_child()) {
    child(*background);
    std::_Exit(7);
  }
  return background->wait();
}

TEST(Background, TheParentLearnsThatTheChildIsReady) {
  const os::TempDirectory temp;
  const std::string errors = temp / "log";
  const Status status = run([&](Background& background) {
    background.report({}, errors);
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, "last words", 10);
  });
  EXPECT_TRUE(status.ok()) << status.error().to_string();
  int ignored = 0;
  ASSERT_GT(::wait(&ignored), 0);
  EXPECT_EQ(content_of(errors), "last words");
}

TEST(Background, TheParentLearnsWhyTheChildFailed) {
  const Status status = run([](Background& background) {
    background.report(Error(Code::kBusy, "somebody else has it"), "");
  });
  EXPECT_EQ(status.code(), Code::kBusy);
  EXPECT_EQ(status.error().context(), "somebody else has it");
}

TEST(Background, AChildThatDiesSilentlyIsNoticed) {
  EXPECT_EQ(run([](Background&) { std::_Exit(3); }).error().context(),
            "the background process ended with status 3 before it was ready");
  EXPECT_EQ(run([](Background&) { ::kill(::getpid(), SIGKILL); }).error().context(),
            "the background process was killed by signal 9 before it was ready");
}

TEST(Background, TheChildKeepsNothingOfItsParent) {
  int inherited[2];
  ASSERT_EQ(::pipe(inherited), 0);
  const pid_t session = ::getsid(0);
  const Status status = run([&](Background& background) {
    const bool closed = ::fcntl(inherited[1], F_GETFD) < 0;
    char directory[16] = {};
    const bool at_root = ::getcwd(directory, sizeof(directory)) != nullptr && directory[1] == 0;
    const bool alone = ::getsid(0) != session;
    background.report(closed && at_root && alone ? Status() : Error(Code::kIo, "it did"),
                      "/dev/null");
  });
  EXPECT_TRUE(status.ok()) << status.error().to_string();
  ::close(inherited[0]);
  ::close(inherited[1]);
}

}  // namespace
}  // namespace nacre::node
