#include "mount/door.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "os/thread.h"

namespace nacre::mount {
namespace {

using std::chrono::milliseconds;

// Workers that come to a door, say so, and stay in front of it until the test sends a request.
class Crew {
 public:
  explicit Crew(int workers, milliseconds tick = milliseconds(1)) : door_(tick) {
    for (int i = 0; i < workers; ++i) {
      threads_.push_back(std::make_unique<os::Thread>("crew", [this] { work(); }));
    }
    while (door_.parked() < workers - 1) ::sched_yield();
  }
  ~Crew() {
    door_.close();
    {
      const os::Lock lock(mutex_);
      closed_ = true;
      changed_.notify_all();
    }
    for (const auto& thread : threads_) thread->join();
  }

  Door& door() { return door_; }

  // One request. Its worker serves it until finish().
  void request() {
    const os::Lock lock(mutex_);
    ++requests_;
    changed_.notify_all();
  }
  void finish() {
    const os::Lock lock(mutex_);
    ++finished_;
    changed_.notify_all();
  }

  // Waits until so many are at the door and so many serve.
  bool become(int at_door, int serving) {
    const os::Lock lock(mutex_);
    for (int i = 0; i < 2000; ++i) {
      if (at_door_ == at_door && serving_ == serving) return true;
      changed_.wait_for(mutex_, milliseconds(1));
    }
    return false;
  }
  // Whether that stays so for a while.
  bool stay(int at_door, int serving) {
    const os::Lock lock(mutex_);
    for (int i = 0; i < 30; ++i) {
      if (at_door_ != at_door || serving_ != serving) return false;
      changed_.wait_for(mutex_, milliseconds(1));
    }
    return true;
  }

 private:
  void work() {
    while (door_.come()) {
      if (!take_request()) return;
      door_.leave();
      serve();
    }
  }
  bool take_request() {
    const os::Lock lock(mutex_);
    ++at_door_;
    changed_.notify_all();
    while (requests_ == 0 && !closed_) changed_.wait(mutex_);
    --at_door_;
    --requests_;
    return !closed_;
  }
  void serve() {
    const os::Lock lock(mutex_);
    ++serving_;
    changed_.notify_all();
    while (finished_ == 0 && !closed_) changed_.wait(mutex_);
    --finished_;
    --serving_;
  }

  Door door_;
  os::Mutex mutex_;
  os::CondVar changed_;
  int at_door_ GUARDED_BY(mutex_) = 0;
  int serving_ GUARDED_BY(mutex_) = 0;
  int requests_ GUARDED_BY(mutex_) = 0;
  int finished_ GUARDED_BY(mutex_) = 0;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<os::Thread>> threads_;
};

constexpr milliseconds kNever = std::chrono::hours(1);

TEST(Door, OneWaitsAndTheOthersAreParked) {
  Crew crew(4, kNever);
  EXPECT_TRUE(crew.become(1, 0));
  EXPECT_TRUE(crew.stay(1, 0));
}

TEST(Door, TheOneWhoServedWaitsAgain) {
  Crew crew(4, kNever);
  for (int i = 0; i < 100; ++i) {
    crew.request();
    ASSERT_TRUE(crew.become(0, 1));
    crew.finish();
    ASSERT_TRUE(crew.become(1, 0));
  }
}

TEST(Door, ACallLetsInOneMore) {
  Crew crew(4, kNever);
  ASSERT_TRUE(crew.become(1, 0));
  crew.request();
  ASSERT_TRUE(crew.become(0, 1));
  EXPECT_TRUE(crew.stay(0, 1)) << "the tick is far away";
  crew.door().call();
  EXPECT_TRUE(crew.become(1, 1));
  crew.finish();
  EXPECT_TRUE(crew.become(1, 0));
}

TEST(Door, CallsWhileSomebodyIsThereAreForgotten) {
  Crew crew(2, kNever);
  ASSERT_TRUE(crew.become(1, 0));
  for (int i = 0; i < 10; ++i) crew.door().call();
  crew.request();
  ASSERT_TRUE(crew.become(0, 1));
  crew.door().call();
  ASSERT_TRUE(crew.become(1, 1));
  crew.request();
  ASSERT_TRUE(crew.become(0, 2));
  crew.finish();
  EXPECT_TRUE(crew.become(1, 1));
}

TEST(Door, ADoorThatStaysEmptyIsTakenByTheLookout) {
  Crew crew(3);
  crew.request();
  ASSERT_TRUE(crew.become(1, 1)) << "the first worker serves for long";
  crew.request();
  ASSERT_TRUE(crew.become(1, 2)) << "there is always another lookout";
  crew.request();
  ASSERT_TRUE(crew.become(0, 3)) << "until nobody is left";
  crew.finish();
  EXPECT_TRUE(crew.become(1, 2));
}

TEST(Door, ALookoutThatFellAsleepWakesForTheNextRequest) {
  Crew crew(2);
  ASSERT_TRUE(crew.become(1, 0));
  ASSERT_TRUE(crew.stay(1, 0)) << "long enough to fall asleep";
  crew.request();
  EXPECT_TRUE(crew.become(1, 1));
}

TEST(Door, ClosingSendsEverybodyHome) {
  Crew crew(4);
  ASSERT_TRUE(crew.become(1, 0));
}  // the destructor closes and joins

// Whether the door tells of a shortage while `body` runs, or until it is closed afterwards.
bool tells_of_shortage(Door& door, const std::function<void()>& body) {
  std::atomic<bool> told = false;
  os::Thread watcher("watcher", [&] { told = door.wait_until_short(milliseconds(30)); });
  body();
  for (int i = 0; i < 200 && !told; ++i) ::usleep(1000);
  const bool in_time = told;
  door.close();
  watcher.join();
  return in_time;
}

TEST(DoorShortage, IsToldWhenAllServeAndNoneComesBack) {
  Crew crew(2);
  EXPECT_TRUE(tells_of_shortage(crew.door(), [&] {
    for (int i = 0; i < 2; ++i) crew.request();
    ASSERT_TRUE(crew.become(0, 2));
  }));
  for (int i = 0; i < 2; ++i) crew.finish();
}

TEST(DoorShortage, IsNotToldWhileOneIsLeft) {
  Crew crew(2);
  EXPECT_FALSE(tells_of_shortage(crew.door(), [&] {
    crew.request();
    ASSERT_TRUE(crew.become(1, 1));
  }));
  crew.finish();
}

TEST(DoorShortage, IsNotToldWhileRequestsAreServed) {
  Crew crew(1);
  EXPECT_FALSE(tells_of_shortage(crew.door(), [&] {
    for (int i = 0; i < 10; ++i) {
      crew.request();
      ASSERT_TRUE(crew.become(0, 1));
      ::usleep(5000);
      crew.finish();
      ASSERT_TRUE(crew.become(1, 0));
    }
  }));
}

}  // namespace
}  // namespace nacre::mount
