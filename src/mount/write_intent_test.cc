#include "mount/write_intent.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "os/thread.h"

namespace nacre::mount {
namespace {

TEST(WriteIntent, IsReadFromTheSystemCall) {
  const auto bytes = [](long number) {
    return bytes_of_system_call(
        fmt::format("{} 0x3 0x7f0000000000 0x1000 0x20 0x30 0x0 0x7ffc 0x7f78\n", number));
  };
  EXPECT_EQ(bytes(SYS_write), 0x1000u);
  EXPECT_EQ(bytes(SYS_pwrite64), 0x1000u);
  EXPECT_EQ(bytes(SYS_sendfile), 0x20u);
  EXPECT_EQ(bytes(SYS_splice), 0x30u);
  EXPECT_EQ(bytes(SYS_writev), kAssumedWriteBytes);
  EXPECT_EQ(bytes(SYS_read), std::nullopt);
  EXPECT_EQ(bytes(SYS_lseek), std::nullopt);
}

TEST(WriteIntent, OfAnythingElseIsUnknown) {
  for (const char* line :
       {"", "running\n", "-1 0x7ffc 0x7f78\n", "x", "99999999999999999999 0x0"}) {
    EXPECT_EQ(bytes_of_system_call(line), std::nullopt) << line;
  }
  EXPECT_EQ(bytes_of_system_call(fmt::format("{} 0x1 0x2 junk", SYS_write)), kAssumedWriteBytes);
}

TEST(WriteIntent, OfAThreadThatWaitsInWriteIsWhatItWrites) {
  std::array<int, 2> pipe_ends = {};
  ASSERT_EQ(::pipe(pipe_ends.data()), 0);
  const std::string more_than_fits(123'456, 'x');
  std::atomic<uint32_t> tid = 0;
  {
    os::Thread writer("writer", [&] {
      tid = static_cast<uint32_t>(::gettid());
      EXPECT_EQ(::write(pipe_ends[1], more_than_fits.data(), more_than_fits.size()),
                static_cast<ssize_t>(more_than_fits.size()));
    });
    while (tid == 0 || !bytes_being_written(tid)) ::usleep(100);
    EXPECT_EQ(bytes_being_written(tid), more_than_fits.size());
    EXPECT_TRUE(is_surely_writing(tid));
    std::string read_back(more_than_fits.size(), '\0');
    size_t done = 0;
    while (done < read_back.size()) {
      const ssize_t count = ::read(pipe_ends[0], read_back.data(), read_back.size());
      ASSERT_GT(count, 0);
      done += static_cast<size_t>(count);
    }
  }
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  EXPECT_EQ(bytes_being_written(0), std::nullopt);
  EXPECT_FALSE(is_surely_writing(0));
}

}  // namespace
}  // namespace nacre::mount
