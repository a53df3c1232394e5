// The content of files through a real mount, with the kernel's write-back cache and without.
#include <gtest/gtest.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include <algorithm>
#include <array>
#include <memory>

#include "mount/mounted.h"

namespace nacre::mount {
namespace {

constexpr off_t kPage = 4096;

std::string pattern(size_t count, uint32_t seed = 1) {
  std::string text(count, '\0');
  for (char& c : text) {
    seed = seed * 1664525 + 1013904223;
    c = static_cast<char>(seed >> 24);
  }
  return text;
}

class MountedData : public Mounted, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    Options options;
    options.write_back = GetParam();
    mount(options);
    ASSERT_EQ(mount_->features().write_back, GetParam());
  }

  // Makes the kernel read from the tree again.
  void drop_cache(const std::string& name) {
    mount_->notify_inval_inode(ino_of(name));
    mount_->notify_inval_entry(kRootInode, "nothing");  // done after the other
    ::usleep(20'000);
  }
  static int allocate(const os::Fd& fd, int mode, off_t offset, off_t length) {
    return ::fallocate(fd.get(), mode, offset, length) == 0 ? 0 : errno;
  }
  static off_t seek(const os::Fd& fd, off_t offset, int whence) {
    const off_t found = ::lseek(fd.get(), offset, whence);
    return found < 0 ? -errno : found;
  }
};

TEST_P(MountedData, WhatIsWrittenIsRead) {
  const std::string content = pattern(10 << 20);
  make_file("file", content);
  EXPECT_TRUE(content_of("file") == content);
  drop_cache("file");
  EXPECT_TRUE(content_of("file") == content);
  const os::Fd fd = open("file", O_RDWR);
  write_at(fd, 5'000'001, "in the middle");
  EXPECT_EQ(read_at(fd, 5'000'000, 15),
            content.substr(5'000'000, 1) + "in the middle" + content.substr(5'000'014, 1));
}

TEST_P(MountedData, ManyWritersAndReadersAtOnce) {
  const auto work = [this](int id) {
    for (int round = 0; round < 20; ++round) {
      const std::string name = "file-" + std::to_string(id);
      const std::string content = pattern(50'000 + 1000 * static_cast<size_t>(round),
                                          static_cast<uint32_t>(id * 100 + round));
      make_file(name, content);
      EXPECT_TRUE(content_of(name) == content);
    }
  };
  std::vector<std::unique_ptr<os::Thread>> threads;
  threads.reserve(8);
  for (int id = 0; id < 8; ++id) {
    threads.push_back(std::make_unique<os::Thread>("client", [&work, id] { work(id); }));
  }
  for (const auto& thread : threads) thread->join();
}

TEST_P(MountedData, AppendingAndTruncatingMoveTheEnd) {
  make_file("file", "one");
  write_at(open("file", O_WRONLY | O_APPEND), 0, "two");
  EXPECT_EQ(content_of("file"), "onetwo");
  ASSERT_EQ(::truncate(at("file").c_str(), 2), 0);
  ASSERT_EQ(::truncate(at("file").c_str(), 5), 0);
  EXPECT_EQ(content_of("file"), std::string("on\0\0\0", 5));
  EXPECT_EQ(tree_.size_of(ino_of("file")), 5u);
  make_file("file");
  EXPECT_EQ(status_of("file").st_size, 0);
}

TEST_P(MountedData, MappedMemoryIsTheFile) {
  const std::string content = pattern(3 * kPage);
  make_file("file", content);
  const os::Fd fd = open("file", O_RDWR);
  void* map = ::mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  ASSERT_NE(map, MAP_FAILED);
  char* bytes = static_cast<char*>(map);
  EXPECT_EQ(std::string_view(bytes, 3 * kPage), content);
  std::copy_n("mapped", 6, bytes + kPage);
  EXPECT_EQ(read_at(fd, kPage, 6), "mapped");
  write_at(fd, 0, "written");
  EXPECT_EQ(std::string_view(bytes, 7), "written");
  ASSERT_EQ(::msync(map, 3 * kPage, MS_SYNC), 0);
  ::munmap(map, 3 * kPage);
  drop_cache("file");
  EXPECT_EQ(content_of("file").substr(kPage, 6), "mapped");
}

TEST_P(MountedData, DirectIoGoesAroundTheCache) {
  const os::Fd fd = open("file", O_CREAT | O_RDWR | O_DIRECT);
  constexpr size_t kBytes = 2 << 20;
  const std::unique_ptr<void, decltype(&::free)> memory(::aligned_alloc(kPage, kBytes), ::free);
  const std::string content = pattern(kBytes);
  std::copy(content.begin(), content.end(), static_cast<char*>(memory.get()));
  ASSERT_EQ(::pwrite(fd.get(), memory.get(), kBytes, 0), ssize_t{kBytes});
  EXPECT_TRUE(content_of("file") == content);
  ASSERT_EQ(::pread(fd.get(), memory.get(), kPage, kPage), kPage);
  EXPECT_EQ(std::string_view(static_cast<char*>(memory.get()), kPage),
            std::string_view(content).substr(kPage, kPage));
}

TEST_P(MountedData, UnwrittenDataIsFoundBySeeking) {
  const os::Fd fd = open("file", O_CREAT | O_RDWR);
  ASSERT_EQ(::ftruncate(fd.get(), 100 * kPage), 0);
  write_at(fd, 50 * kPage, "x");
  EXPECT_EQ(seek(fd, 0, SEEK_DATA), 50 * kPage) << "still open, not synced";
  EXPECT_EQ(seek(fd, 50 * kPage, SEEK_HOLE), 51 * kPage);
  EXPECT_EQ(seek(fd, 51 * kPage, SEEK_DATA), -ENXIO);
  EXPECT_EQ(seek(fd, 0, SEEK_HOLE), 0);
  write_at(fd, 0, pattern(3 * kPage));
  EXPECT_EQ(seek(fd, 0, SEEK_HOLE), 3 * kPage);
  write_at(fd, 200 * kPage, "end");
  EXPECT_EQ(seek(fd, 120 * kPage, SEEK_DATA), 200 * kPage);
  EXPECT_EQ(seek(fd, 200 * kPage, SEEK_HOLE), 200 * kPage + 3);
  EXPECT_EQ(seek(fd, 200 * kPage + 3, SEEK_HOLE), -ENXIO);
}

TEST_P(MountedData, SeekingWhileOthersWrite) {
  const os::Fd fd = open("file", O_CREAT | O_RDWR);
  const auto write = [&](off_t start) {
    for (off_t i = 0; i < 300; ++i) write_at(fd, static_cast<uint64_t>(start + i * 2 * kPage), "x");
  };
  os::Thread first("first", [&] { write(0); });
  os::Thread second("second", [&] { write(1000 * kPage); });
  for (int i = 0; i < 300; ++i) {
    seek(fd, i * kPage, SEEK_DATA);
    seek(fd, i * kPage, SEEK_HOLE);
  }
  first.join();
  second.join();
  for (off_t i = 0; i < 299; ++i) {
    ASSERT_EQ(seek(fd, (2 * i + 1) * kPage, SEEK_DATA), (2 * i + 2) * kPage);
    ASSERT_EQ(seek(fd, 2 * i * kPage, SEEK_HOLE), (2 * i + 1) * kPage);
  }
}

TEST_P(MountedData, PunchedAndZeroedRangesReadAsZeros) {
  const std::string content = pattern(20 * kPage);
  const os::Fd fd = open("file", O_CREAT | O_RDWR);
  write_at(fd, 0, content);  // not written back yet
  EXPECT_EQ(allocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * kPage, 2 * kPage), 0);
  EXPECT_EQ(allocate(fd, FALLOC_FL_ZERO_RANGE, 10 * kPage + 5, 10), 0);
  std::string expected = content;
  std::fill_n(expected.begin() + 2 * kPage, 2 * kPage, '\0');
  std::fill_n(expected.begin() + 10 * kPage + 5, 10, '\0');
  EXPECT_TRUE(content_of("file") == expected);
  drop_cache("file");
  EXPECT_TRUE(content_of("file") == expected);
  EXPECT_EQ(seek(fd, 0, SEEK_HOLE), 2 * kPage);
  EXPECT_EQ(seek(fd, 2 * kPage, SEEK_DATA), 4 * kPage);
  // What is written into the hole afterwards is there again.
  write_at(fd, 3 * kPage, "again");
  EXPECT_EQ(seek(fd, 2 * kPage, SEEK_DATA), 3 * kPage);
}

TEST_P(MountedData, AllocationMovesTheEndUnlessToldNotTo) {
  const os::Fd fd = open("file", O_CREAT | O_RDWR);
  write_at(fd, 0, "abc");
  EXPECT_EQ(allocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10 * kPage), 0);
  EXPECT_EQ(status_of("file").st_size, 3);
  EXPECT_EQ(allocate(fd, 0, 0, 10 * kPage), 0);
  EXPECT_EQ(status_of("file").st_size, 10 * kPage);
  EXPECT_EQ(allocate(fd, FALLOC_FL_ZERO_RANGE, 0, 11 * kPage), 0);
  EXPECT_EQ(status_of("file").st_size, 11 * kPage);
  EXPECT_EQ(content_of("file"), std::string(11 * kPage, '\0'));
  EXPECT_EQ(allocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, kPage), EOPNOTSUPP);
  EXPECT_EQ(allocate(fd, FALLOC_FL_INSERT_RANGE, 0, kPage), EOPNOTSUPP);
}

TEST_P(MountedData, RangesAreCopiedWithWhatIsNotWrittenBackYet) {
  const std::string content = pattern(50 * kPage);
  const os::Fd from = open("from", O_CREAT | O_RDWR);
  write_at(from, 0, content);
  const os::Fd to = open("to", O_CREAT | O_RDWR);
  write_at(to, 0, pattern(10 * kPage, 7));
  const auto copy = [&](off_t from_offset, off_t to_offset, size_t length) {
    return ::copy_file_range(from.get(), &from_offset, to.get(), &to_offset, length, 0);
  };
  EXPECT_EQ(copy(10 * kPage, 2 * kPage, 20 * kPage), 20 * kPage);
  EXPECT_EQ(status_of("to").st_size, 22 * kPage);
  EXPECT_EQ(read_at(to, 2 * kPage, 20 * kPage), content.substr(10 * kPage, 20 * kPage));
  drop_cache("to");
  EXPECT_EQ(read_at(to, 2 * kPage, 20 * kPage), content.substr(10 * kPage, 20 * kPage));
  EXPECT_EQ(read_at(to, 0, 2 * kPage), pattern(10 * kPage, 7).substr(0, 2 * kPage));
  EXPECT_EQ(copy(40 * kPage, 0, 100 * kPage), 10 * kPage) << "up to the end of the source";
  EXPECT_GT(mount_->stats()["COPY_FILE_RANGE_64"] + mount_->stats()["COPY_FILE_RANGE"], 0u);
}

TEST_P(MountedData, AHoleBeforeDirtyPagesIsCopiedAsOne) {
  const os::Fd from = open("from", O_CREAT | O_RDWR);
  write_at(from, 20 * kPage, "end");  // for the tree the file is still empty
  const os::Fd to = open("to", O_CREAT | O_RDWR);
  off_t start = 0;
  EXPECT_EQ(::copy_file_range(from.get(), &start, to.get(), nullptr, 10 * kPage, 0), 10 * kPage);
  EXPECT_EQ(content_of("to"), std::string(10 * kPage, '\0'));
}

TEST_P(MountedData, SyncingReachesTheTree) {
  const os::Fd fd = open("file", O_CREAT | O_RDWR);
  write_at(fd, 0, "x");
  EXPECT_EQ(::fdatasync(fd.get()), 0);
  EXPECT_EQ(tree_.size_of(ino_of("file")), 1u);
  EXPECT_EQ(::fsync(fd.get()), 0);
  EXPECT_EQ(::fsync(open(".", O_RDONLY | O_DIRECTORY).get()), 0);
  using enum fs::SyncScope;
  EXPECT_EQ(tree_.syncs(), (std::vector{kData, kAll, kAll}));
  EXPECT_EQ(tree_.last_write().from_cache, GetParam());
}

TEST_P(MountedData, SynchronousWritesAreDurable) {
  const os::Fd fd = open("file", O_CREAT | O_RDWR | O_DSYNC);
  write_at(fd, 0, "x");
  EXPECT_TRUE(tree_.last_write().durable || !tree_.syncs().empty());
}

TEST_P(MountedData, WritingByOthersDropsSetuid) {
  make_file("file", "x");
  for (const mode_t mode : {06777u, 06767u}) {
    ASSERT_EQ(::chmod(at("file").c_str(), mode), 0);
    EXPECT_EQ(as_nobody([this] {
                const int fd = ::open(at("file").c_str(), O_WRONLY);
                return ::write(fd, "y", 1) == 1 ? 0 : errno;
              }),
              0);
    const mode_t kept = (mode & 010) != 0 ? 0 : 02000;
    EXPECT_EQ(status_of("file").st_mode & 07777, (mode & 0777) | kept);
    EXPECT_EQ(tree_.get_attr(ino_of("file"))->mode, (mode & 0777) | kept) << "in the tree, too";
  }
  ASSERT_EQ(::chmod(at("file").c_str(), 06777), 0);
  write_at(open("file", O_WRONLY), 0, "z");
  EXPECT_EQ(status_of("file").st_mode & 07777, 06777u) << "root keeps them";
}

TEST_P(MountedData, TimesMoveWithWritesAndStayWhereTheyArePut) {
  make_file("file", "x");
  const timespec put[2] = {{1'000'000'000, 1}, {-5, 999'999'999}};
  ASSERT_EQ(::utimensat(AT_FDCWD, at("file").c_str(), put, 0), 0);
  EXPECT_EQ(status_of("file").st_atim.tv_nsec, 1);
  EXPECT_EQ(status_of("file").st_mtim.tv_sec, -5);
  EXPECT_EQ(status_of("file").st_mtim.tv_nsec, 999'999'999);
  EXPECT_EQ(tree_.get_attr(ino_of("file"))->mtime.ns, -4'000'000'001);
  write_at(open("file", O_WRONLY), 0, "y");
  EXPECT_GT(status_of("file").st_mtim.tv_sec, 1'500'000'000);
  EXPECT_GT(tree_.get_attr(ino_of("file"))->mtime.ns, 1'500'000'000'000'000'000);
}

TEST_P(MountedData, SendfileMovesPagesBetweenFiles) {
  const std::string content = pattern(3 << 20);
  make_file("from", content);
  const os::Fd from = open("from", O_RDONLY);
  const os::Fd to = open("to", O_CREAT | O_RDWR);
  off_t offset = 0;
  while (offset < static_cast<off_t>(content.size())) {
    ASSERT_GT(::sendfile(to.get(), from.get(), &offset, content.size()), 0);
  }
  EXPECT_TRUE(content_of("to") == content);
}

TEST_F(Mounted, WriteItselfFailsWhereThereIsNoRoom) {
  mount({});
  ASSERT_TRUE(mount_->features().write_back);
  tree_.set_scarce(true, 10'000);
  const os::Fd fd = open("file", O_CREAT | O_RDWR);
  write_at(fd, 0, pattern(10'000));
  const std::string more = pattern(10'001);
  EXPECT_EQ(::pwrite(fd.get(), more.data(), more.size(), 0), -1);
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_EQ(::lseek(fd.get(), 0, SEEK_END), 10'000);
  EXPECT_EQ(read_at(fd, 9'999, 10), pattern(10'000).substr(9'999));
  EXPECT_EQ(::fsync(fd.get()), 0);
  tree_.set_scarce(true, 20'000);
  write_at(fd, 0, more);
}

INSTANTIATE_TEST_SUITE_P(, MountedData, testing::Bool(), [](const auto& param) {
  return param.param ? "WriteBack" : "WriteThrough";
});

class MountedBehind : public Mounted {};

TEST_F(MountedBehind, ContentThatChangedIsReadAgainWhenTheKernelIsTold) {
  Options options;
  options.write_back = false;
  mount(options);
  make_file("file", "old content");
  EXPECT_EQ(content_of("file"), "old content");
  const InodeId ino = ino_of("file");
  ASSERT_TRUE(tree_.write(ino, 0, as_bytes("new content, longer"), {}).ok());
  mount_->notify_inval_inode(ino);
  bool changed = false;
  for (int i = 0; i < 1000 && !changed; ++i) {
    changed = content_of("file") == "new content, longer";
    ::usleep(1000);
  }
  EXPECT_TRUE(changed);
}

}  // namespace
}  // namespace nacre::mount
