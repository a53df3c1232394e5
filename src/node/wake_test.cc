#include "node/wake.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "os/thread.h"

namespace nacre::node {
namespace {

using Event = WakeQueue::Event;

TEST(WakeQueue, ReturnsForASignalAWakeOrTheTime) {
  const auto queue = WakeQueue::open();
  ASSERT_TRUE(queue.ok());
  WakeQueue& wait = **queue;
  EXPECT_EQ(wait.wait(1'000'000), Event::kTimeout);
  ::raise(SIGTERM);
  EXPECT_EQ(wait.wait(std::nullopt), Event::kSignal);
  ::raise(SIGINT);
  EXPECT_EQ(wait.wait(std::nullopt), Event::kSignal);
  wait.wake();
  wait.wake();
  EXPECT_EQ(wait.wait(std::nullopt), Event::kWoken);
  EXPECT_EQ(wait.wait(1'000'000), Event::kTimeout);
}

TEST(WakeQueue, AHangupDoesNothing) {
  const auto queue = WakeQueue::open();
  ASSERT_TRUE(queue.ok());
  ::raise(SIGHUP);
  EXPECT_EQ((*queue)->wait(1'000'000), Event::kTimeout);
}

TEST(WakeQueue, AnotherThreadMayWake) {
  const auto queue = WakeQueue::open();
  ASSERT_TRUE(queue.ok());
  os::Thread other("other", [&] {
    ::usleep(10'000);
    (*queue)->wake();
  });
  EXPECT_EQ((*queue)->wait(std::nullopt), Event::kWoken);
}

}  // namespace
}  // namespace nacre::node
