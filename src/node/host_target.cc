#include "node/host_target.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/errno.h"
#include "base/units.h"
#include "os/fd.h"

namespace nacre::node {
namespace {

using meta::FileType;

constexpr size_t kCopyBytes = kMiB;
constexpr size_t kHoleBytes = 64 * kKiB;
constexpr int64_t kSecondNs = 1'000'000'000;

timespec timespec_of(Timestamp time) {
  const int64_t seconds = time.ns / kSecondNs - (time.ns % kSecondNs < 0 ? 1 : 0);
  return {.tv_sec = seconds, .tv_nsec = time.ns - seconds * kSecondNs};
}

mode_t type_bits(FileType type) {
  switch (type) {
    case FileType::kFifo:
      return S_IFIFO;
    case FileType::kSocket:
      return S_IFSOCK;
    case FileType::kCharDevice:
      return S_IFCHR;
    case FileType::kBlockDevice:
      return S_IFBLK;
    default:
      return S_IFREG;
  }
}

Status write_all(int fd, ByteView bytes, uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = os::retry_interrupted(
        [&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (count < 0) return error_from_errno(errno, "write " + path);
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

bool is_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

// Zeros are left out: what is not written reads as zero and takes no space.
Status write_sparsely(int fd, ByteView bytes, uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ByteView part = bytes.first(std::min(bytes.size(), kHoleBytes));
    if (!is_zero(part)) TRY(write_all(fd, part, offset, path));
    bytes = bytes.subspan(part.size());
    offset += part.size();
  }
  return {};
}

}  // namespace

std::string HostTarget::path_of(const std::string& name) const {
  return directories_.empty() ? top_ : directories_.back() + "/" + name;
}

void HostTarget::warn(const std::string& kind, const std::string& path, int error_number) {
  if (std::ranges::find(warned_, kind) != warned_.end()) return;
  warned_.push_back(kind);
  warnings_.push_back(
      error_from_errno(error_number, fmt::format("{} of {}", kind, path)).context());
}

Status HostTarget::enter_directory(const std::string& name, const PastFile&) {
  const std::string path = path_of(name);
  if (::mkdir(path.c_str(), 0700) != 0) {
    if (errno != EEXIST) return error_from_errno(errno, "make directory " + path);
    struct stat status = {};
    const bool directory = ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    if (!directory || (!force_ && directories_.empty())) {
      return Error(Code::kExists, path + " exists: name a new place" +
                                      (directory ? ", or --force to fill it" : ""));
    }
  }
  directories_.push_back(path);
  return {};
}

Status HostTarget::leave_directory(const PastFile& directory) {
  const std::string path = directories_.back();
  directories_.pop_back();
  return apply_attributes(path, directory);
}

// Beside an existing file first, so that a failure leaves that as it was.
Status HostTarget::put(const std::string& name, const PastFile& file) {
  const std::string path = path_of(name);
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) return make(path, file);
  if (!force_) return Error(Code::kExists, path + " exists: name a new place, or --force");
  const std::string beside = fmt::format("{}.nacre-restore-{:08x}", path, volume_.random().next());
  Status made = make(beside, file);
  if (made.ok() && ::rename(beside.c_str(), path.c_str()) != 0) {
    made = error_from_errno(errno, "replace " + path);
  }
  if (!made.ok()) ::unlink(beside.c_str());
  if (const auto twin = linked_.find(file.attr.ino); twin != linked_.end()) twin->second = path;
  return made;
}

Status HostTarget::make(const std::string& path, const PastFile& file) {
  const auto twin = linked_.find(file.attr.ino);
  if (twin != linked_.end()) {
    if (::link(twin->second.c_str(), path.c_str()) == 0) return {};
    return error_from_errno(errno, "link " + path);
  }
  if (file.attr.nlink > 1) linked_[file.attr.ino] = path;
  switch (file.attr.type) {
    case FileType::kRegular:
      TRY(copy_content(path, file));
      break;
    case FileType::kSymlink:
      if (::symlink(file.target.c_str(), path.c_str()) != 0) {
        return error_from_errno(errno, "make symlink " + path);
      }
      break;
    default:
      if (::mknod(path.c_str(), type_bits(file.attr.type) | 0600, file.attr.rdev) != 0) {
        warn("the existence", path, errno);  // devices are root's to make
        return {};
      }
  }
  return apply_attributes(path, file);
}

Status HostTarget::copy_content(const std::string& path, const PastFile& file) {
  const os::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return error_from_errno(errno, "make " + path);
  std::string buffer(kCopyBytes, '\0');
  for (uint64_t offset = 0; offset < file.attr.size;) {
    const size_t count = TRY(volume_.read_past(file.at, file.attr.ino, file.attr.size, offset,
                                               as_writable_bytes(buffer)));
    if (count == 0) break;
    TRY(write_sparsely(fd.get(), as_bytes(std::string_view(buffer).substr(0, count)), offset,
                       path));
    offset += count;
  }
  if (::ftruncate(fd.get(), static_cast<off_t>(file.attr.size)) != 0) {
    return error_from_errno(errno, "write " + path);
  }
  return {};
}

// What this user, or this file system, cannot keep is told, not fatal.
Status HostTarget::apply_attributes(const std::string& path, const PastFile& file) {
  uint32_t mode = file.attr.mode;
  if (::lchown(path.c_str(), file.attr.uid, file.attr.gid) != 0) {
    warn("the owner", path, errno);
    mode &= 01777;  // nobody gets another's setuid program as his own
  }
  for (const auto& [name, value] : file.xattrs) {
    if (::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) != 0) {
      warn("attribute " + name, path, errno);
    }
  }
  const bool is_link = file.attr.type == FileType::kSymlink;
  if (!is_link && ::chmod(path.c_str(), mode) != 0) warn("the mode", path, errno);
  const std::array times = {timespec_of(file.attr.atime), timespec_of(file.attr.mtime)};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    warn("the times", path, errno);
  }
  return {};
}

}  // namespace nacre::node
