#include "mount/mountpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/errno.h"
#include "mount/fusermount.h"

namespace nacre::mount {
namespace {

constexpr int kReadAheadKib = 1024;

bool allows_other(const Options& options) { return options.allow_other.value_or(::geteuid() == 0); }

unsigned long mount_flags(const Options& options) {
  unsigned long flags = 0;
  if (options.read_only) flags |= MS_RDONLY;
  if (!options.allow_suid) flags |= MS_NOSUID;
  if (!options.allow_devices) flags |= MS_NODEV;
  if (!options.allow_exec) flags |= MS_NOEXEC;
  if (options.no_atime) flags |= MS_NOATIME;
  return flags;
}

Result<os::Fd> open_device() {
  os::Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (device.valid()) return device;
  if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
    return Error(Code::kUnsupported,
                 "this kernel offers no /dev/fuse: load it with `modprobe fuse`, or give the "
                 "container the device");
  }
  return error_from_errno(errno, "open /dev/fuse");
}

Result<os::Fd> attach_as_root(const std::string& mountpoint, const Options& options) {
  os::Fd device = TRY(open_device());
  const std::string data =
      fmt::format("fd={},rootmode=40000,user_id={},group_id={},default_permissions{}", device.get(),
                  ::getuid(), ::getgid(), allows_other(options) ? ",allow_other" : "");
  const std::string type = "fuse." + options.subtype;
  if (::mount(options.fsname.c_str(), mountpoint.c_str(), type.c_str(), mount_flags(options),
              data.c_str()) == 0) {
    return device;
  }
  if (errno == ENODEV) return Error(Code::kUnsupported, "this kernel is built without FUSE");
  return error_from_errno(errno, "mount " + mountpoint);
}

// Commas and backslashes in a value would end it.
std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == ',' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

std::string fusermount_options(const Options& options) {
  return fmt::format("{},nosuid,nodev,default_permissions,fsname={},subtype={}{}{}{}",
                     options.read_only ? "ro" : "rw", escaped(options.fsname), options.subtype,
                     options.allow_exec ? "" : ",noexec", options.no_atime ? ",noatime" : "",
                     allows_other(options) ? ",allow_other" : "");
}

Error stale_mountpoint(const std::string& path) {
  return Error(Code::kBusy,
               fmt::format("{} still carries a mount whose process is gone: take it off with "
                           "`nacre unmount {}` or `fusermount3 -u {}`",
                           path, path, path));
}

}  // namespace

Result<std::string> check_mountpoint(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOTCONN || errno == ECONNABORTED) return stale_mountpoint(path);
    return error_from_errno(errno, "mountpoint " + path);
  }
  if (!S_ISDIR(status.st_mode)) {
    return Error(Code::kNotDirectory, fmt::format("mountpoint {} is not a directory", path));
  }
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) {
    return error_from_errno(errno, "mountpoint " + path);
  }
  return std::string(resolved);
}

Result<os::Fd> attach(const std::string& mountpoint, const Options& options) {
  if (::geteuid() == 0) {
    auto device = attach_as_root(mountpoint, options);
    // Root of a container without the capability is an ordinary user here.
    if (device.ok() || device.code() != Code::kNotPermitted) return device;
  }
  return fusermount_attach(mountpoint, fusermount_options(options));
}

Status detach(const std::string& mountpoint, DetachMode mode) {
  const bool lazy = mode == DetachMode::kLazy;
  if (::umount2(mountpoint.c_str(), UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0) return {};
  if (errno == EPERM) return fusermount_detach(mountpoint, lazy);
  if (errno == EBUSY) {
    return Error(Code::kBusy,
                 fmt::format("{} is in use: `fuser -vm {}` shows by whom", mountpoint, mountpoint));
  }
  if (errno == EINVAL) {
    return Error(Code::kInvalid, fmt::format("nothing is mounted at {}", mountpoint));
  }
  return error_from_errno(errno, "unmount " + mountpoint);
}

void raise_read_ahead(const std::string& mountpoint) {
  struct statx status = {};
  // Without a request to us: nobody serves yet.
  if (::statx(AT_FDCWD, mountpoint.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0) return;
  const std::string path =
      fmt::format("/sys/class/bdi/{}:{}/read_ahead_kb", status.stx_dev_major, status.stx_dev_minor);
  const os::Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return;
  const std::string value = std::to_string(kReadAheadKib);
  // Refusal only costs speed.
  [[maybe_unused]] const ssize_t written = ::write(file.get(), value.data(), value.size());
}

}  // namespace nacre::mount
