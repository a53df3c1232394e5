#include "mount/clientele.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "mount/test_port.h"

namespace nacre::mount {
namespace {

class ClienteleTest : public testing::Test {
 protected:
  void note(uint32_t opcode, uint32_t tid, bool at_once = false) {
    fuse_in_header header = {};
    header.len = sizeof(header);
    header.opcode = opcode;
    header.pid = tid;
    clients_.note(std::as_bytes(std::span(&header, 1)), at_once);
  }

  const uint32_t self_ = static_cast<uint32_t>(::gettid());
  Clientele clients_;
};

TEST_F(ClienteleTest, ALoneThreadIsAlone) {
  for (int i = 0; i < 100; ++i) note(FUSE_LOOKUP, self_, true);
  EXPECT_FALSE(clients_.several());
}

TEST_F(ClienteleTest, TwoThreadsAreSeveralUntilOneIsGoneForAWhile) {
  note(FUSE_LOOKUP, self_);
  note(FUSE_LOOKUP, self_ + 1);
  EXPECT_TRUE(clients_.several());
  for (int i = 0; i < 100; ++i) note(FUSE_LOOKUP, self_);
  EXPECT_FALSE(clients_.several());
}

TEST_F(ClienteleTest, WhatNobodyWaitsForIsNobody) {
  for (int i = 0; i < 10; ++i) {
    note(FUSE_UNLINK, self_);
    note(FUSE_FORGET, 0);
  }
  EXPECT_FALSE(clients_.several());
}

TEST_F(ClienteleTest, DataThatQueuesUpIsOfSeveral) {
  note(FUSE_READ, self_);
  note(FUSE_READ, self_);
  note(FUSE_LOOKUP, self_, true);
  note(FUSE_WRITE, self_, true);
  note(FUSE_FSYNC, self_, true);
  EXPECT_FALSE(clients_.several());
  note(FUSE_WRITE, self_, true);
  note(FUSE_WRITE, self_, true);
  EXPECT_TRUE(clients_.several());
}

TEST_F(ClienteleTest, AMessageWithoutAHeaderIsPassedOver) {
  clients_.note({}, true);
  EXPECT_FALSE(clients_.several());
}

TEST(CpuOfThread, IsWhereItRuns) {
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(allowed), &allowed), 0);
  const int last = [&] {
    int cpu = CPU_SETSIZE - 1;
    while (!CPU_ISSET(cpu, &allowed)) --cpu;
    return cpu;
  }();
  cpu_set_t there;
  CPU_ZERO(&there);
  CPU_SET(last, &there);
  ASSERT_EQ(::sched_setaffinity(0, sizeof(there), &there), 0);
  EXPECT_EQ(cpu_of_thread(static_cast<uint32_t>(::gettid())), last);
  ASSERT_EQ(::sched_setaffinity(0, sizeof(allowed), &allowed), 0);
  EXPECT_EQ(cpu_of_thread(UINT32_MAX), -1);
}

TEST(MoveToCpu, LeavesTheThreadFreeToMoveOn) {
  cpu_set_t before;
  cpu_set_t after;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(before), &before), 0);
  for (const int cpu : {-1, 0, 1, CPU_SETSIZE, 100'000}) {
    move_to_cpu(cpu);
    ASSERT_EQ(::sched_getaffinity(0, sizeof(after), &after), 0);
    EXPECT_TRUE(CPU_EQUAL(&before, &after));
  }
}

}  // namespace
}  // namespace nacre::mount
