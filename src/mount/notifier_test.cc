#include "mount/notifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "mount/test_port.h"

namespace nacre::mount {
namespace {

// A door that jobs wait at until it is opened.
class Barrier {
 public:
  void wait() {
    const os::Lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    while (!open_) changed_.wait(mutex_);
  }
  void wait_for_waiter() {
    const os::Lock lock(mutex_);
    while (waiting_ == 0) changed_.wait(mutex_);
  }
  void open() {
    const os::Lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  os::Mutex mutex_;
  os::CondVar changed_;
  bool open_ GUARDED_BY(mutex_) = false;
  int waiting_ GUARDED_BY(mutex_) = 0;
};

class NotifierTest : public testing::Test {
 protected:
  // Returns when everything posted so far is done.
  void drain() {
    const auto done = std::make_shared<Barrier>();
    ASSERT_TRUE(notifier_.post([done](Port&) { done->wait(); }));
    done->wait_for_waiter();
    done->open();
  }

  TestPort port_;
  Notifier notifier_{port_};
};

TEST_F(NotifierTest, InvalidationsAreTheKernelsMessages) {
  notifier_.start();
  notifier_.invalidate_inode(InodeId{0x0102}, 4096, 8192);
  notifier_.invalidate_entry(InodeId{1}, "name");
  drain();
  const auto told = port_.notifications();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].first, FUSE_NOTIFY_INVAL_INODE);
  EXPECT_EQ(told[0].second, std::string("\x02\x01\0\0\0\0\0\0"
                                        "\0\x10\0\0\0\0\0\0"
                                        "\0\x20\0\0\0\0\0\0",
                                        24));
  EXPECT_EQ(told[1].first, FUSE_NOTIFY_INVAL_ENTRY);
  EXPECT_EQ(told[1].second, std::string("\x01\0\0\0\0\0\0\0"
                                        "\x04\0\0\0"
                                        "\0\0\0\0"
                                        "name\0",
                                        21));
}

TEST_F(NotifierTest, JobsAreDoneInOrder) {
  notifier_.start();
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(notifier_.post([&order, i](Port&) { order.push_back(i); }));
  }
  drain();
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_F(NotifierTest, AFullQueueRefusesJobs) {
  for (size_t i = 0; i < Notifier::kMaxJobs; ++i) ASSERT_TRUE(notifier_.post([](Port&) {}));
  EXPECT_FALSE(notifier_.post([](Port&) {}));
  notifier_.start();
}

TEST_F(NotifierTest, InvalidationsWaitForRoom) {
  Barrier barrier;
  ASSERT_TRUE(notifier_.post([&barrier](Port&) { barrier.wait(); }));
  notifier_.start();
  barrier.wait_for_waiter();
  os::Thread poster("poster", [this] {
    for (size_t i = 0; i < Notifier::kMaxInvalidations + 100; ++i) {
      notifier_.invalidate_inode(InodeId{1}, 0, 0);
    }
  });
  barrier.open();
  poster.join();
  drain();
  EXPECT_EQ(port_.notifications().size(), Notifier::kMaxInvalidations + 100);
}

TEST_F(NotifierTest, StoppingDropsTheRestAndFreesThoseWhoWait) {
  for (size_t i = 0; i < Notifier::kMaxInvalidations; ++i) {
    notifier_.invalidate_inode(InodeId{1}, 0, 0);
  }
  os::Thread poster("poster", [this] { notifier_.invalidate_inode(InodeId{1}, 0, 0); });
  notifier_.stop();
  poster.join();
  EXPECT_FALSE(notifier_.post([](Port&) {}));
  EXPECT_TRUE(port_.notifications().empty());
}

}  // namespace
}  // namespace nacre::mount
