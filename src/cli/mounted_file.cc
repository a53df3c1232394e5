#include "cli/mounted_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/errno.h"
#include "base/units.h"

namespace nacre::cli {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

timespec timespec_of(Timestamp time) {
  int64_t seconds = time.ns / kSecondNs;
  int64_t rest = time.ns % kSecondNs;
  if (rest < 0) {
    rest += kSecondNs;
    --seconds;
  }
  return {.tv_sec = seconds, .tv_nsec = rest};
}

}  // namespace

Result<MountedFile> MountedFile::open(const std::string& mountpoint, const std::string& path,
                                      InodeId ino) {
  const os::Fd root(::open(mountpoint.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return error_from_errno(errno, "open " + mountpoint);
  // Those who may write to the mount must not lead us elsewhere.
  open_how how = {};
  how.flags = O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  os::Fd file(
      static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof(how))));
  if (!file.valid()) return error_from_errno(errno, "open " + mountpoint + "/" + path);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return error_from_errno(errno, "stat " + path);
  if (!S_ISREG(status.st_mode) || status.st_ino != ino.value) {
    return Error(Code::kNotFound, path + " has become another file");
  }
  return MountedFile(std::move(file));
}

Status MountedFile::flush() {
  if (::fsync(file_.get()) != 0) return error_from_errno(errno, "write dirty pages back");
  return {};
}

Status MountedFile::adopt(const meta::Attr& attr) {
  // Clean pages go; those that a program has mapped are left to the caller's notification.
  ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
  if (::ftruncate(file_.get(), static_cast<off_t>(attr.size)) != 0) {
    return error_from_errno(errno, "tell the kernel the size of a restored file");
  }
  const timespec times[2] = {timespec_of(attr.atime), timespec_of(attr.mtime)};
  if (::futimens(file_.get(), times) != 0) {
    return error_from_errno(errno, "tell the kernel the times of a restored file");
  }
  return {};
}

}  // namespace nacre::cli
