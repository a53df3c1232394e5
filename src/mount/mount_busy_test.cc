// Requests that take long, among others that do not.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>

#include "mount/mounted.h"

namespace nacre::mount {
namespace {

class MountBusy : public Mounted {
 protected:
  void SetUp() override {
    mount({});
    tree_.hold_syncs(true);
  }
  void TearDown() override { tree_.hold_syncs(false); }

  // A process that syncs a file and is not answered.
  pid_t start_sync(const std::string& name) {
    const int before = tree_.waiting_syncs();
    const pid_t child = ::fork();
    if (child == 0) {
      const int fd = ::open(at(name).c_str(), O_CREAT | O_RDWR, 0644);
      ::_exit(fd >= 0 && ::fsync(fd) == 0 ? 0 : 1);
    }
    for (int i = 0; i < 2000 && tree_.waiting_syncs() == before; ++i) ::usleep(1000);
    EXPECT_EQ(tree_.waiting_syncs(), before + 1);
    return child;
  }
  static int end_of(pid_t child) {
    int status = 0;
    os::retry_interrupted([&] { return ::waitpid(child, &status, 0); });
    return status;
  }
};

TEST_F(MountBusy, TheLastFreeWorkerServesTheRest) {
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) children.push_back(start_sync("held-" + std::to_string(i)));
  for (int i = 0; i < 100; ++i) make_file("file-" + std::to_string(i), "content");
  EXPECT_EQ(names_in(".").size(), 105u);
  tree_.hold_syncs(false);
  for (const pid_t child : children) EXPECT_EQ(end_of(child), 0);
}

TEST_F(MountBusy, SeekingWhileWorkersAreBusy) {
  const pid_t child = start_sync("held");
  const os::Fd fd = open("file", O_CREAT | O_RDWR);
  write_at(fd, 1 << 20, "x");
  EXPECT_EQ(::lseek(fd.get(), 0, SEEK_DATA), 1 << 20) << "writing back needs a worker, too";
  tree_.hold_syncs(false);
  EXPECT_EQ(end_of(child), 0);
}

TEST_F(MountBusy, SignalsDoNotCutOperationsShort) {
  const pid_t child = start_sync("held");
  ASSERT_EQ(::kill(child, SIGTERM), 0);
  make_file("file");
  ::usleep(20'000);
  EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), 0) << "still waiting for its answer";
  tree_.hold_syncs(false);
  EXPECT_EQ(WTERMSIG(end_of(child)), SIGTERM);
  EXPECT_EQ(tree_.syncs().size(), 1u);
}

}  // namespace
}  // namespace nacre::mount
