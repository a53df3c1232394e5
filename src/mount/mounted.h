// A tree in memory, mounted for real at a directory of its own, for tests. Needs root and
// /dev/fuse.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mount/mount.h"
#include "mount/test_tree.h"
#include "os/fd.h"

namespace nacre::mount {

inline constexpr uint32_t kNobody = 65534;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char path[] = "/tmp/nacre-mount-XXXXXX";
    path_ = ::mkdtemp(path);
  }
  ~TemporaryDirectory() { ::rmdir(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Does `body` in a child process as an ordinary user and returns what it returned, an exit status.
inline int as_nobody(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
        ::setresuid(kNobody, kNobody, kNobody) != 0) {
      ::_exit(255);
    }
    ::_exit(body());
  }
  int status = 0;
  os::retry_interrupted([&] { return ::waitpid(child, &status, 0); });
  return WIFEXITED(status) ? WEXITSTATUS(status) : 254;
}

class Mounted : public testing::Test {
 protected:
  void mount(const Options& options) {
    auto mounted = Mount::mount(tree_, directory_.path(), options);
    ASSERT_TRUE(mounted.ok()) << mounted.error().to_string();
    mount_ = mounted.take();
    mount_->start();
  }

  std::string at(const std::string& name) const { return directory_.path() + "/" + name; }

  os::Fd open(const std::string& name, int flags, mode_t mode = 0644) const {
    os::Fd fd(::open(at(name).c_str(), flags | O_CLOEXEC, mode));
    EXPECT_TRUE(fd.valid()) << name << ": " << ::strerror(errno);
    return fd;
  }
  // The errno of a failed open, or 0.
  int error_of_open(const std::string& name, int flags, mode_t mode = 0644) const {
    const os::Fd fd(::open(at(name).c_str(), flags | O_CLOEXEC, mode));
    return fd.valid() ? 0 : errno;
  }
  void make_file(const std::string& name, std::string_view content = "") const {
    const os::Fd fd = open(name, O_CREAT | O_TRUNC | O_WRONLY);
    write_at(fd, 0, content);
  }
  static void write_at(const os::Fd& fd, uint64_t offset, std::string_view content) {
    ASSERT_EQ(::pwrite(fd.get(), content.data(), content.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(content.size()))
        << ::strerror(errno);
  }
  static std::string read_at(const os::Fd& fd, uint64_t offset, size_t count) {
    std::string content(count, '\0');
    const ssize_t got = ::pread(fd.get(), content.data(), count, static_cast<off_t>(offset));
    EXPECT_GE(got, 0) << ::strerror(errno);
    content.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return content;
  }
  std::string content_of(const std::string& name) const {
    const os::Fd fd = open(name, O_RDONLY);
    struct stat status = {};
    ::fstat(fd.get(), &status);
    return read_at(fd, 0, static_cast<size_t>(status.st_size) + 1);
  }
  struct stat status_of(const std::string& name) const {
    struct stat status = {};
    EXPECT_EQ(::lstat(at(name).c_str(), &status), 0) << name << ": " << ::strerror(errno);
    return status;
  }
  bool exists(const std::string& name) const { return ::access(at(name).c_str(), F_OK) == 0; }
  std::multiset<std::string> names_in(const std::string& name) const {
    std::multiset<std::string> names;
    DIR* dir = ::opendir(at(name).c_str());
    EXPECT_NE(dir, nullptr) << ::strerror(errno);
    while (const dirent* entry = ::readdir(dir)) names.insert(entry->d_name);
    ::closedir(dir);
    return names;
  }

  // A file in the root that the kernel is not told of.
  InodeId make_behind(const std::string& name, uint32_t mode) {
    fs::NewNode node;
    node.mode = mode;
    const auto made = tree_.make_node({}, kRootInode, name, node);
    EXPECT_TRUE(made.ok());
    tree_.forget(made->attr.ino, 1);
    return made->attr.ino;
  }
  InodeId ino_of(const std::string& name) const { return InodeId{status_of(name).st_ino}; }

  TemporaryDirectory directory_;
  TestTree tree_;
  std::unique_ptr<Mount> mount_;
};

}  // namespace nacre::mount
