// How mounts begin and end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <fstream>
#include <sstream>

#include "mount/mounted.h"

namespace nacre::mount {
namespace {

using testing::HasSubstr;

// As as_nobody(), where everybody may open /dev/fuse, as distributions have it, and mounts stay out
// of sight.
int as_nobody_with_fuse(const std::function<int()>& body) {
  const TemporaryDirectory directory;
  const std::string device = directory.path() + "/fuse";
  const pid_t child = ::fork();
  if (child == 0) {
    const bool prepared = ::unshare(CLONE_NEWNS) == 0 &&
                          ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                          ::mknod(device.c_str(), S_IFCHR, makedev(10, 229)) == 0 &&
                          ::chmod(device.c_str(), 0666) == 0 &&
                          ::mount(device.c_str(), "/dev/fuse", nullptr, MS_BIND, nullptr) == 0;
    ::_exit(prepared ? as_nobody(body) : 253);
  }
  int status = 0;
  os::retry_interrupted([&] { return ::waitpid(child, &status, 0); });
  ::unlink(device.c_str());
  return WEXITSTATUS(status);
}

class MountLifecycle : public Mounted {
 protected:
  // The line of /proc/self/mounts for the mountpoint, or "".
  std::string mounted_as() const {
    std::ifstream mounts("/proc/self/mounts");
    std::string line;
    while (std::getline(mounts, line)) {
      if (line.find(" " + directory_.path() + " ") != std::string::npos) return line;
    }
    return "";
  }
  bool ends() {
    for (int i = 0; i < 2000; ++i) {
      if (mounted_as().empty()) return true;
      ::usleep(1000);
    }
    return false;
  }
  Error refused(const std::string& mountpoint) {
    const auto mounted = Mount::mount(tree_, mountpoint, {});
    EXPECT_FALSE(mounted.ok());
    return mounted.ok() ? Error(Code::kIo) : mounted.error();
  }
};

TEST_F(MountLifecycle, AMountIsShownWithItsVolumeAndItsOptions) {
  Options options;
  options.fsname = "/srv/a,b\\c volume";
  ASSERT_TRUE(apply_options("noatime,noexec", options).ok());
  mount(options);
  EXPECT_THAT(mounted_as(), HasSubstr("/srv/a,b\\134c\\040volume "));
  EXPECT_THAT(mounted_as(), HasSubstr(" fuse.nacre rw,nosuid,nodev,noexec,noatime,"));
  EXPECT_THAT(mounted_as(), HasSubstr(",default_permissions,allow_other"));
}

TEST_F(MountLifecycle, TheKernelReadsAheadAMegabyte) {
  mount({});
  const struct stat status = status_of(".");
  std::ostringstream path;
  path << "/sys/class/bdi/" << major(status.st_dev) << ":" << minor(status.st_dev)
       << "/read_ahead_kb";
  std::ifstream file(path.str());
  int kib = 0;
  file >> kib;
  EXPECT_EQ(kib, 1024);
}

TEST_F(MountLifecycle, AReadOnlyMountRefusesChanges) {
  make_behind("file", 0644);
  Options options;
  options.read_only = true;
  mount(options);
  EXPECT_FALSE(mount_->features().write_back);
  EXPECT_EQ(error_of_open("file", O_RDONLY), 0);
  EXPECT_EQ(error_of_open("file", O_RDWR), EROFS);
  EXPECT_EQ(error_of_open("new", O_CREAT | O_RDWR), EROFS);
}

TEST_F(MountLifecycle, OneThreadServesEverything) {
  Options options;
  options.single_threaded = true;
  mount(options);
  EXPECT_FALSE(mount_->features().write_back);
  const os::Fd fd = open("file", O_CREAT | O_RDWR);
  write_at(fd, 100'000, "x");
  EXPECT_EQ(::lseek(fd.get(), 0, SEEK_DATA), 98304);
  EXPECT_EQ(content_of("file").size(), 100'001u);
}

TEST_F(MountLifecycle, UnmountingWritesBackAndEndsTheMount) {
  mount({});
  const InodeId ino = [this] {
    make_file("file", "content");
    return ino_of("file");
  }();
  ASSERT_TRUE(mount_->unmount().ok());
  mount_->wait();
  EXPECT_EQ(mounted_as(), "");
  EXPECT_EQ(tree_.size_of(ino), 7u);
  EXPECT_EQ(mount_->unmount().code(), Code::kInvalid) << "nothing is mounted there";
}

TEST_F(MountLifecycle, AMountInUseStaysUnlessUnmountedLazily) {
  mount({});
  os::Fd fd = open("file", O_CREAT | O_RDWR);
  const Status busy = mount_->unmount();
  ASSERT_FALSE(busy.ok());
  EXPECT_EQ(busy.code(), Code::kBusy);
  EXPECT_THAT(busy.error().context(), HasSubstr("fuser -vm"));
  ASSERT_TRUE(mount_->unmount(DetachMode::kLazy).ok());
  EXPECT_EQ(mounted_as(), "");
  write_at(fd, 0, "still served");
  EXPECT_EQ(read_at(fd, 0, 100), "still served");
  fd.reset();
  mount_->wait();
}

TEST_F(MountLifecycle, SomebodyElsesUnmountEndsServing) {
  mount({});
  make_file("file", "x");
  ASSERT_EQ(::umount(directory_.path().c_str()), 0);
  mount_->wait();
}

TEST_F(MountLifecycle, AnAbortedConnectionEndsServing) {
  mount({});
  const os::Fd fd = open("file", O_CREAT | O_RDWR);
  ASSERT_EQ(::umount2(directory_.path().c_str(), MNT_FORCE | MNT_DETACH), 0);
  mount_->wait();
  EXPECT_EQ(::fsync(fd.get()), -1);
  EXPECT_TRUE(errno == ENOTCONN || errno == ECONNABORTED) << ::strerror(errno);
}

TEST_F(MountLifecycle, TheEndOfTheObjectIsTheEndOfTheMount) {
  mount({});
  mount_.reset();
  EXPECT_EQ(mounted_as(), "");
}

TEST_F(MountLifecycle, AMountThatNeverServedCanBeTakenBack) {
  auto mounted = Mount::mount(tree_, directory_.path(), {});
  ASSERT_TRUE(mounted.ok());
  mounted.take().reset();
  EXPECT_EQ(mounted_as(), "");
}

TEST_F(MountLifecycle, ManyMountsOneAfterAnother) {
  for (int i = 0; i < 50; ++i) {
    mount({});
    make_file("file", std::to_string(i));
    ASSERT_TRUE(mount_->unmount().ok());
    mount_->wait();
    mount_.reset();
  }
}

TEST_F(MountLifecycle, UnsuitableMountpointsAreExplained) {
  const Error missing = refused(directory_.path() + "/missing");
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_THAT(missing.context(), HasSubstr("/missing"));
  const Error file = refused("/etc/passwd");
  EXPECT_EQ(file.code(), Code::kNotDirectory);
  EXPECT_THAT(file.context(), HasSubstr("/etc/passwd is not a directory"));
}

TEST_F(MountLifecycle, AMountpointLeftBehindIsExplainedAndCanBeFreed) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto mounted = Mount::mount(tree_, directory_.path(), {});
    ::_exit(mounted.ok() ? 0 : 1);  // without unmounting
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_NE(mounted_as(), "");

  const Error stale = refused(directory_.path());
  EXPECT_EQ(stale.code(), Code::kBusy);
  EXPECT_THAT(stale.context(), HasSubstr("nacre unmount " + directory_.path()));
  EXPECT_TRUE(detach(directory_.path(), DetachMode::kIfIdle).ok());
  EXPECT_TRUE(ends());
  mount({});
}

TEST_F(MountLifecycle, AnOrdinaryUserMountsWithFusermount) {
  ASSERT_EQ(::chown(directory_.path().c_str(), kNobody, kNobody), 0);
  meta::SetAttr change;
  change.uid = kNobody;
  ASSERT_TRUE(tree_.set_attr({}, kRootInode, change).ok());
  const int failed_step = as_nobody_with_fuse([this] {
    Options options;
    options.fsname = "a,b";
    auto mounted = Mount::mount(tree_, directory_.path(), options);
    if (!mounted.ok()) return 1;
    (*mounted)->start();
    if (mounted_as().find("a,b " + directory_.path() + " fuse.nacre") != 0) return 2;
    const int fd = ::open(at("file").c_str(), O_CREAT | O_RDWR, 0644);
    if (fd < 0 || ::write(fd, "x", 1) != 1 || ::lseek(fd, 0, SEEK_DATA) != 0) return 4;
    if ((*mounted)->unmount().code() != Code::kBusy) return 5;
    ::close(fd);
    if (!(*mounted)->unmount().ok()) return 6;
    (*mounted)->wait();
    return mounted_as().empty() ? 0 : 7;
  });
  EXPECT_EQ(failed_step, 0);
}

TEST_F(MountLifecycle, AnOrdinaryUserIsToldWhatIsNotAllowed) {
  const int not_his = as_nobody([this] {
    const Error error = refused(directory_.path());
    return error.code() == Code::kNotPermitted && !error.context().empty() ? 0 : 1;
  });
  EXPECT_EQ(not_his, 0) << "the directory is root's";

  std::ifstream configuration("/etc/fuse.conf");
  std::string line;
  while (std::getline(configuration, line)) {
    if (line == "user_allow_other") return;
  }
  ASSERT_EQ(::chown(directory_.path().c_str(), kNobody, kNobody), 0);
  const int for_others = as_nobody_with_fuse([this] {
    Options options;
    options.allow_other = true;
    const auto mounted = Mount::mount(tree_, directory_.path(), options);
    if (mounted.ok()) return 1;
    return mounted.error().context().find("/etc/fuse.conf") != std::string::npos ? 0 : 2;
  });
  EXPECT_EQ(for_others, 0);
}

TEST_F(MountLifecycle, WithoutFusermountAnOrdinaryUserIsToldWhatToInstall) {
  ASSERT_EQ(::chown(directory_.path().c_str(), kNobody, kNobody), 0);
  EXPECT_EQ(as_nobody([this] {
              ::setenv("PATH", "/nonexistent", 1);
              const Error error = refused(directory_.path());
              if (error.code() != Code::kUnsupported) return 1;
              return error.context().find("fuse3") != std::string::npos ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace nacre::mount
