// How many requests operations cost. Round trips are what a FUSE file system is slow by, and each
// line here is one that the kernel of the day sends or spares.
#include <gtest/gtest.h>

#include <functional>

#include "mount/mounted.h"

namespace nacre::mount {
namespace {

class MountTraffic : public Mounted, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    Options options;
    options.write_back = GetParam();
    mount(options);
    // What the kernel asks once and then never again.
    make_file("warm", "x");
    content_of("warm");
    names_in(".");
    error_of_open(".", O_TMPFILE | O_RDWR);
  }

  // Requests during `body`, forgetting aside: that comes when the kernel pleases.
  Stats cost(const std::function<void()>& body) {
    const Stats before = mount_->stats();
    body();
    Stats after = mount_->stats();
    for (const auto& [name, count] : before) after[name] -= count;
    std::erase_if(after, [](const auto& entry) {
      return entry.second == 0 || entry.first == "FORGET" || entry.first == "BATCH_FORGET";
    });
    return after;
  }
  // `body` is given a fresh name each time. The kernel may drop what it has cached at any moment,
  // if seldom; the cost is what is seen in one of a few attempts.
  void expect_cost(const Stats& expected, const std::function<void(const std::string&)>& prepare,
                   const std::function<void(const std::string&)>& body) {
    Stats seen;
    for (int attempt = 0; attempt < 5 && seen != expected; ++attempt) {
      const std::string name = "name-" + std::to_string(next_++);
      prepare(name);
      status_of(".");  // changing a directory makes the kernel ask for its attributes
      seen = cost([&] { body(name); });
      if (expected.empty() && seen.empty()) return;
    }
    EXPECT_EQ(seen, expected);
  }

  // A file last written to long ago.
  void make_old_file(const std::string& name) {
    make_file(name);
    const timespec times[2] = {{1, 0}, {1, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, at(name).c_str(), times, 0), 0);
  }

  static bool write_back() { return GetParam(); }
  static void nothing(const std::string&) {}

 private:
  int next_ = 0;
};

TEST_P(MountTraffic, CreatingAFileIsOneLookupAndOneCreate) {
  expect_cost({{"CREATE", 1}, {"LOOKUP", 1}}, nothing,
              [this](const std::string& name) { open(name, O_CREAT | O_EXCL | O_WRONLY); });
}

TEST_P(MountTraffic, CreatingWhatIsKnownToBeMissingIsOneCreate) {
  expect_cost(
      {{"CREATE", 1}}, [this](const std::string& name) { exists(name); },
      [this](const std::string& name) { open(name, O_CREAT | O_WRONLY); });
}

TEST_P(MountTraffic, AMissingNameIsAskedForOnce) {
  expect_cost(
      {}, [this](const std::string& name) { exists(name); },
      [this](const std::string& name) { exists(name); });
}

TEST_P(MountTraffic, WritingASmallFileIsOneWrite) {
  // GETXATTR: the kernel looks for security.capability before the first write to an inode.
  Stats expected = {{"GETXATTR", 1}, {"WRITE", 1}};
  if (write_back())
    expected["SETATTR"] = 1;  // the time of the write, unless it is that of creation
  expect_cost(
      expected, [this](const std::string& name) { make_old_file(name); },
      [this](const std::string& name) { write_at(open(name, O_WRONLY), 0, "x"); });
}

TEST_P(MountTraffic, ManySmallWritesAreFewRequestsUnderWriteBack) {
  const auto write_much = [this](const std::string& name) {
    const os::Fd fd = open(name, O_WRONLY);
    for (uint64_t i = 0; i < 256; ++i) write_at(fd, i * 4096, std::string(4096, 'x'));
  };
  Stats expected = {{"GETXATTR", 1}, {"WRITE", write_back() ? 1 : 256}};
  if (write_back()) expected["SETATTR"] = 1;
  expect_cost(expected, [this](const std::string& name) { make_old_file(name); }, write_much);
}

TEST_P(MountTraffic, ReadingAWarmFileIsFree) {
  expect_cost(
      {},
      [this](const std::string& name) {
        make_file(name, "content");
        content_of(name);
      },
      [this](const std::string& name) { read_at(open(name, O_RDONLY), 0, 7); });
}

TEST_P(MountTraffic, AttributesOfAWarmFileAreFree) {
  expect_cost(
      {},
      [this](const std::string& name) {
        make_file(name);
        status_of(name);
      },
      [this](const std::string& name) { status_of(name); });
}

TEST_P(MountTraffic, AWarmDirectoryIsReadForFree) {
  expect_cost(
      {},
      [this](const std::string& name) {
        make_file(name);
        names_in(".");
        names_in(".");  // now all of it is in the page cache
      },
      [this](const std::string&) { names_in("."); });
}

TEST_P(MountTraffic, AWarmSymlinkIsReadForFree) {
  const auto read = [this](const std::string& name) {
    char target[10];
    ASSERT_EQ(::readlink(at(name).c_str(), target, sizeof(target)), 4);
  };
  expect_cost(
      {},
      [&](const std::string& name) {
        ASSERT_EQ(::symlink("warm", at(name).c_str()), 0);
        read(name);
      },
      read);
}

TEST_P(MountTraffic, UnlinkingIsOneRequest) {
  Stats expected = {{"UNLINK", 1}};
  if (write_back()) expected["SETATTR"] = 1;  // the kernel keeps ctime and sends it
  expect_cost(
      expected, [this](const std::string& name) { make_file(name); },
      [this](const std::string& name) { ::unlink(at(name).c_str()); });
}

TEST_P(MountTraffic, WhatIsNotOfferedIsNotAskedForAgain) {
  expect_cost({}, nothing, [this](const std::string&) {
    error_of_open(".", O_TMPFILE | O_RDWR);
    exists("warm");
    open("warm", O_RDONLY);
    open(".", O_RDONLY | O_DIRECTORY);
  });
}

INSTANTIATE_TEST_SUITE_P(, MountTraffic, testing::Bool(), [](const auto& param) {
  return param.param ? "WriteBack" : "WriteThrough";
});

}  // namespace
}  // namespace nacre::mount
