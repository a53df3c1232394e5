#include "directory_dump.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace nacre::mount_test {

namespace {

using model::Aspects;
using model::kPageBytes;

constexpr uint64_t kReadWhole = 1 * kMiB;  // files up to this are read with their holes
constexpr uint64_t kReadBytes = 256 * kKiB;
constexpr size_t kListBytes = 8192;

using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;

std::string failed(std::string_view what) {
  return fmt::format(" {} FAILS: {}", what, std::strerror(errno));
}

bool find_ranges(const os::Fd& fd, uint64_t size, Ranges& ranges) {
  for (uint64_t at = 0; at < size;) {
    const off_t begin = ::lseek(fd.get(), static_cast<off_t>(at), SEEK_DATA);
    if (begin < 0) return errno == ENXIO;
    const off_t end = ::lseek(fd.get(), begin, SEEK_HOLE);
    if (end < 0) return false;
    ranges.emplace_back(begin, end);
    at = static_cast<uint64_t>(end);
  }
  return true;
}

// Adds the whole pages that cover the range, as far as the file goes.
bool add_digest(const os::Fd& fd, uint64_t begin, uint64_t end, uint64_t size,
                std::map<uint64_t, uint64_t>& pages) {
  std::string bytes;
  const uint64_t stop = std::min(round_up(end, kPageBytes), size);
  for (uint64_t at = round_down(begin, kPageBytes); at < stop; at += bytes.size()) {
    bytes.assign(std::min(stop - at, kReadBytes), 'x');
    const ssize_t count = ::pread(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (count >= 0 && static_cast<size_t>(count) < bytes.size()) errno = ENODATA;
    if (count < static_cast<ssize_t>(bytes.size())) return false;
    for (uint64_t i = 0; i < bytes.size(); i += kPageBytes) {
      pages[(at + i) / kPageBytes] =
          model::page_digest((at + i) / kPageBytes, std::string_view(bytes).substr(i, kPageBytes));
    }
  }
  return true;
}

std::string describe_content(const os::Fd& fd, uint64_t size, const Aspects& aspects, bool cold) {
  // Dirty pages stay, and must not be needed to tell data from holes.
  if (cold) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  Ranges ranges;
  if (!find_ranges(fd, size, ranges)) return failed("seeking");
  std::map<uint64_t, uint64_t> pages;
  Ranges wanted = ranges;
  if (size <= kReadWhole) wanted = {{0, size}};
  for (const auto& [begin, end] : wanted) {
    if (!add_digest(fd, begin, end, size, pages)) return failed("reading");
  }
  uint64_t digest = 0;
  for (const auto& [index, sum] : pages) digest ^= sum;
  std::string text = fmt::format(" digest={:016x}", digest);
  if (aspects.ranges) text += model::describe(ranges);
  return text;
}

std::string describe_xattrs(const os::Fd& fd) {
  std::string names(16 * kKiB, '\0');
  const ssize_t length = ::listxattr(path_of(fd).c_str(), names.data(), names.size());
  if (length < 0) return failed("listxattr");
  names.resize(static_cast<size_t>(length));
  std::map<std::string, std::string> xattrs;
  for (size_t at = 0; at < names.size(); at += std::strlen(names.c_str() + at) + 1) {
    const char* const name = names.c_str() + at;
    std::string value(64 * kKiB, '\0');
    const ssize_t count = ::getxattr(path_of(fd).c_str(), name, value.data(), value.size());
    if (count < 0) return failed("getxattr");
    value.resize(static_cast<size_t>(count));
    xattrs[name] = value;
  }
  return model::describe(xattrs);
}

std::string describe_node(const os::Fd& fd, const struct stat& status, const Aspects& aspects,
                          bool cold) {
  std::string line = model::describe(attr_of(status), aspects);
  if (S_ISLNK(status.st_mode)) {
    std::string target(kPageBytes, '\0');
    const ssize_t length = ::readlinkat(fd.get(), "", target.data(), target.size());
    if (length < 0) return line + failed("readlink");
    line += " -> " + target.substr(0, static_cast<size_t>(length));
  }
  if (S_ISREG(status.st_mode)) {
    line += describe_content(fd, static_cast<uint64_t>(status.st_size), aspects, cold);
  }
  return line + describe_xattrs(fd);
}

class Dumper {
 public:
  Dumper(const Aspects& aspects, bool cold, model::Inodes* inodes)
      : aspects_(aspects), cold_(cold), inodes_(inodes) {}

  void node(const os::Fd& fd, const struct stat& status, const std::string& path) {
    if (inodes_ != nullptr) (*inodes_)[path] = InodeId{status.st_ino};
    const auto [first, is_new] = first_paths_.try_emplace(status.st_ino, path);
    dump_[path] = is_new ? describe_node(fd, status, aspects_, cold_) : "same as " + first->second;
    if (is_new && S_ISDIR(status.st_mode)) directory(fd, path == "/" ? "" : path);
  }
  model::Dump take() { return std::move(dump_); }

 private:
  void directory(const os::Fd& fd, const std::string& path) {
    std::map<std::string, Listed> entries;
    const auto add = [&](const Listed& entry) {
      if (!entries.emplace(entry.name, entry).second) dump_[path + "/"] += " LISTED TWICE";
      return true;
    };
    const os::Fd again(::openat(fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!again.valid() || !each_entry(again, kListBytes, add))
      dump_[path + "/"] = failed("reading");
    for (const auto& [name, entry] : entries) child(fd, path + "/" + name, entry);
  }
  void child(const os::Fd& parent, const std::string& path, const Listed& entry) {
    struct stat status = {};
    if (::fstatat(parent.get(), entry.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      dump_[path] = "listed, but" + failed("stat");
      return;
    }
    const int flags = S_ISREG(status.st_mode)   ? O_RDONLY
                      : S_ISDIR(status.st_mode) ? O_RDONLY | O_DIRECTORY
                                                : O_PATH;
    const os::Fd fd(
        ::openat(parent.get(), entry.name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NOATIME));
    if (!fd.valid()) {
      dump_[path] = failed("open");
      return;
    }
    node(fd, status, path);
    if (entry.ino != status.st_ino) dump_[path] += " BUT THE DIRECTORY HAS ANOTHER INODE";
    if (entry.type != type_of(status.st_mode)) dump_[path] += " BUT THE DIRECTORY HAS ANOTHER TYPE";
  }

  const Aspects& aspects_;
  const bool cold_;
  model::Inodes* const inodes_;
  std::map<uint64_t, std::string> first_paths_;
  model::Dump dump_;
};

}  // namespace

std::string path_of(const os::Fd& fd) { return fmt::format("/proc/self/fd/{}", fd.get()); }

meta::FileType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return meta::FileType::kDirectory;
    case S_IFLNK:
      return meta::FileType::kSymlink;
    case S_IFIFO:
      return meta::FileType::kFifo;
    case S_IFSOCK:
      return meta::FileType::kSocket;
    case S_IFCHR:
      return meta::FileType::kCharDevice;
    case S_IFBLK:
      return meta::FileType::kBlockDevice;
    default:
      return meta::FileType::kRegular;
  }
}

meta::Attr attr_of(const struct stat& status) {
  const auto time = [](const timespec& at) {
    return Timestamp{at.tv_sec * int64_t{1'000'000'000} + at.tv_nsec};
  };
  meta::Attr attr;
  attr.ino = InodeId{status.st_ino};
  attr.type = type_of(status.st_mode);
  attr.mode = status.st_mode & 07777;
  attr.uid = status.st_uid;
  attr.gid = status.st_gid;
  attr.nlink = static_cast<uint32_t>(status.st_nlink);
  attr.rdev = status.st_rdev;
  attr.size = static_cast<uint64_t>(status.st_size);
  attr.allocated_bytes = static_cast<uint64_t>(status.st_blocks) * 512;
  attr.atime = time(status.st_atim);
  attr.mtime = time(status.st_mtim);
  attr.ctime = time(status.st_ctim);
  return attr;
}

bool each_entry(const os::Fd& directory, size_t buffer_bytes,
                const std::function<bool(const Listed&)>& visit) {
  std::vector<char> buffer(buffer_bytes);
  for (;;) {
    const ssize_t length = ::getdents64(directory.get(), buffer.data(), buffer.size());
    // Of a directory that was removed the kernel says so; readdir(3) takes it for the end.
    if (length <= 0) return length == 0 || errno == ENOENT;
    for (ssize_t at = 0; at < length;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += entry->d_reclen;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      const Listed listed{std::string(name), entry->d_ino, type_of(DTTOIF(entry->d_type)),
                          entry->d_off};
      if (visit(listed)) continue;
      return at == length || ::lseek(directory.get(), listed.next, SEEK_SET) == listed.next;
    }
  }
}

model::Dump dump_of(const os::Fd& directory, const Aspects& aspects, bool cold,
                    model::Inodes* inodes) {
  struct stat status = {};
  if (::fstat(directory.get(), &status) != 0) return {{"/", failed("stat")}};
  Dumper dumper(aspects, cold, inodes);
  dumper.node(directory, status, "/");
  return dumper.take();
}

std::string line_of(const os::Fd& fd, const Aspects& aspects, bool cold) {
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return failed("stat");
  return describe_node(fd, status, aspects, cold);
}

}  // namespace nacre::mount_test
