#include "os/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>

#include "os/mutex.h"

namespace nacre::os {
namespace {

TEST(Thread, CarriesTheFirst15BytesOfItsName) {
  std::string shown(16, '\0');
  Thread("a-name-of-many-bytes", [&] {
    ::pthread_getname_np(::pthread_self(), shown.data(), shown.size());
  }).join();
  EXPECT_STREQ(shown.c_str(), "a-name-of-many-");
}

TEST(Thread, IsJoinedWhenReplacedAndWhenDestroyed) {
  std::atomic<int> ran = 0;
  {
    Thread thread("first", [&] { ++ran; });
    thread = Thread("second", [&] { ++ran; });
  }
  EXPECT_EQ(ran, 2);
}

TEST(CondVar, WakesAWaiterAndGivesUpAfterItsLimit) {
  Mutex mutex;
  CondVar condition;
  bool ready = false;
  const Thread waker("waker", [&] {
    const Lock lock(mutex);
    ready = true;
    condition.notify_all();
  });
  const Lock lock(mutex);
  while (!ready) condition.wait(mutex);
  while (condition.wait_for(mutex, std::chrono::milliseconds(1))) {
  }
}

}  // namespace
}  // namespace nacre::os
