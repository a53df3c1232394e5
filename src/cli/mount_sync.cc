#include "cli/mount_sync.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/errno.h"
#include "os/fd.h"

namespace nacre::cli {
namespace {

// The root of the mounted file system, by a mount of our own that nobody sees: holding it open does
// not keep the visible mount busy. Needs a privilege; invalid without it.
os::Fd open_detached(const std::string& mountpoint) {
  const os::Fd tree(static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, mountpoint.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  if (!tree.valid()) return os::Fd();
  return os::Fd(::openat(tree.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

os::Fd open_root(const std::string& mountpoint) {
  os::Fd root = open_detached(mountpoint);
  if (root.valid()) return root;
  return os::Fd(::open(mountpoint.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

Result<dev_t> device_of(const std::string& mountpoint) {
  struct stat status = {};
  if (::stat(mountpoint.c_str(), &status) != 0)
    return error_from_errno(errno, "stat " + mountpoint);
  return status.st_dev;
}

Status sync_mount(const std::string& mountpoint, dev_t device) {
  const os::Fd root = open_root(mountpoint);
  if (!root.valid()) return error_from_errno(errno, "open " + mountpoint);
  struct stat status = {};
  if (::fstat(root.get(), &status) != 0) return error_from_errno(errno, "stat " + mountpoint);
  // Once it is unmounted the path leads to what was below.
  if (status.st_dev != device)
    return Error(Code::kNotFound, mountpoint + " is not mounted any more");
  if (::syncfs(root.get()) != 0) return error_from_errno(errno, "write back " + mountpoint);
  return {};
}

}  // namespace nacre::cli
