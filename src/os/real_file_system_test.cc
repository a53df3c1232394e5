// What only the machine's own file system can show.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "os/file_system.h"
#include "os/temp_directory.h"

namespace nacre::os {
namespace {

mode_t mode_of(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

// Runs `body` in a child process and gives whether it returned true there.
template <class Body>
bool in_a_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(RealFileSystem, WhatItMakesIsForTheOwnerAlone) {
  const TempDirectory temp;
  FileSystem& fs = real_file_system();
  ASSERT_TRUE(fs.open(temp / "file", OpenMode::kCreate).ok());
  ASSERT_TRUE(fs.lock(temp / "lock").ok());
  ASSERT_TRUE(fs.create_directories(temp / "directory").ok());
  EXPECT_EQ(mode_of(temp / "file"), 0600u);
  EXPECT_EQ(mode_of(temp / "lock"), 0600u);
  EXPECT_EQ(mode_of(temp / "directory"), 0700u);
}

TEST(RealFileSystem, ALockKeepsOutOtherProcessesUntilItsHolderEnds) {
  const TempDirectory temp;
  const std::string path = temp / "lock";
  {
    const auto lock = real_file_system().lock(path);
    ASSERT_TRUE(lock.ok());
    EXPECT_TRUE(in_a_child([&] { return real_file_system().lock(path).code() == Code::kBusy; }));
  }
  EXPECT_TRUE(in_a_child([&] {
    // Ends while it holds the lock.
    return real_file_system().lock(path).take().release() != nullptr;
  }));
  EXPECT_TRUE(real_file_system().lock(path).ok());
}

TEST(RealFileSystem, APipeIsRefusedWithoutWaitingForAWriter) {
  const TempDirectory temp;
  ASSERT_EQ(::mkfifo((temp / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(*real_file_system().kind(temp / "pipe"), PathKind::kOther);
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kReadWrite, OpenMode::kCreate}) {
    EXPECT_EQ(real_file_system().open(temp / "pipe", mode).code(), Code::kInvalid);
  }
}

uint64_t blocks_bytes_of(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return static_cast<uint64_t>(info.st_blocks) * 512;
}

TEST(RealFileSystem, AnAllocationIsBackedByBlocks) {
  const TempDirectory temp;
  auto file = real_file_system().open(temp / "file", OpenMode::kCreate).take();
  ASSERT_TRUE(file->allocate(0, kMiB).ok());
  EXPECT_GE(blocks_bytes_of(temp / "file"), kMiB);
}

TEST(RealFileSystem, AnAllocationThatCannotFitTakesNothing) {
  const TempDirectory temp;
  auto file = real_file_system().open(temp / "file", OpenMode::kCreate).take();
  const uint64_t free_bytes = real_file_system().space(temp.path())->free_bytes;
  EXPECT_EQ(file->allocate(0, free_bytes + 64 * kGiB).code(), Code::kNoSpace);
  EXPECT_EQ(*file->size(), 0u);
  EXPECT_EQ(blocks_bytes_of(temp / "file"), 0u);
}

TEST(RealFileSystem, WriteBackIsAHintThatChangesNothing) {
  const TempDirectory temp;
  auto file = real_file_system().open(temp / "file", OpenMode::kCreate).take();
  ASSERT_TRUE(file->write_at(0, as_bytes("text")).ok());
  file->start_writeback(0, 4);
  file->start_writeback(~uint64_t{0}, ~uint64_t{0});
  EXPECT_EQ(*file->size(), 4u);
  EXPECT_TRUE(file->sync().ok());
}

// Overwrites a device: run with NACRE_TEST_BLOCK_DEVICE=/dev/loopN, as a user who may open it.
TEST(RealFileSystem, ABlockDeviceHasItsSizeAndOneWriter) {
  const char* path = ::getenv("NACRE_TEST_BLOCK_DEVICE");
  if (path == nullptr) GTEST_SKIP() << "NACRE_TEST_BLOCK_DEVICE names no device";
  FileSystem& fs = real_file_system();
  EXPECT_EQ(*fs.kind(path), PathKind::kBlockDevice);
  auto opened = fs.open(path, OpenMode::kReadWrite);
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  auto device = opened.take();
  EXPECT_EQ(fs.open(path, OpenMode::kReadWrite).code(), Code::kBusy);
  const uint64_t size = device->size().take();
  EXPECT_GT(size, 0u);
  ASSERT_TRUE(device->write_at(size - 4, as_bytes("tail")).ok());
  ASSERT_TRUE(device->sync().ok());
  std::string tail(10, '?');
  EXPECT_EQ(
      fs.open(path, OpenMode::kRead).take()->read_at(size - 4, as_writable_bytes(tail)).take(), 4u);
  EXPECT_EQ(tail.substr(0, 4), "tail");
  EXPECT_EQ(device->write_at(size, as_bytes("x")).code(), Code::kNoSpace);
  EXPECT_TRUE(device->allocate(0, size).ok());
  EXPECT_EQ(device->allocate(0, size + 1).code(), Code::kNoSpace);
  device.reset();
  EXPECT_TRUE(fs.open(path, OpenMode::kCreate).ok());
}

}  // namespace
}  // namespace nacre::os
