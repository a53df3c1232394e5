#include "directory_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cstring>

#include "base/errno.h"
#include "directory_dump.h"

namespace nacre::mount_test {

namespace {

using model::Kind;
using model::kSlots;
using model::Operation;

constexpr size_t kListBytes = 300;  // the longest name just fits
constexpr size_t kScanBytes = 1000;
constexpr int kPlace = O_PATH | O_NOFOLLOW | O_CLOEXEC;

std::string done(int64_t result) { return result < 0 ? model::answer_of_errno(errno) : "ok"; }
std::string answered(const std::string& answer) { return answer.empty() ? "ok" : "ok " + answer; }
bool is_slot(const std::string& path) {
  return path.starts_with('@') && path.find('/') == std::string::npos;
}

mode_t mode_of(meta::FileType type) {
  switch (type) {
    case meta::FileType::kFifo:
      return S_IFIFO;
    case meta::FileType::kSocket:
      return S_IFSOCK;
    case meta::FileType::kCharDevice:
      return S_IFCHR;
    default:
      return S_IFBLK;
  }
}

os::Fd copy_of(const os::Fd& fd) { return os::Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)); }

}  // namespace

DirectoryRunner::DirectoryRunner(std::string root, const std::vector<std::string>& moments,
                                 const model::Aspects& aspects)
    : root_(std::move(root)), moments_(moments), aspects_(aspects) {}

os::Fd DirectoryRunner::start_of(const model::ParsedPath& path) {
  if (path.root == '@') return copy_of(slots_[path.number % kSlots]->fd);
  const std::string& start = path.root == '~' ? moments_[path.number % moments_.size()] : root_;
  return os::Fd(::open(start.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

std::optional<DirectoryRunner::Place> DirectoryRunner::resolve(const std::string& path) {
  model::ParsedPath parsed = model::parse_path(path);
  Place place{start_of(parsed), {}};
  for (size_t i = 0; i < parsed.names.size() && place.at.valid(); ++i) {
    place.name = parsed.names[i];
    if (i + 1 == parsed.names.size()) break;
    place.at = os::Fd(::openat(place.at.get(), place.name.c_str(), kPlace | O_DIRECTORY));
  }
  if (!place.at.valid()) return std::nullopt;
  return place;
}

const DirectoryRunner::Slot* DirectoryRunner::open_slot(const std::string& path) const {
  if (!is_slot(path)) return nullptr;
  const Slot& slot = *slots_[model::parse_path(path).number % kSlots];
  return slot.is_open ? &slot : nullptr;
}

os::Fd DirectoryRunner::node_of(const std::string& path) {
  auto place = resolve(path);
  if (!place) return {};
  if (place->name.empty()) return std::move(place->at);
  return os::Fd(::openat(place->at.get(), place->name.c_str(), kPlace));
}

os::Fd DirectoryRunner::open(const std::string& path, int flags) {
  const Slot* const slot = open_slot(path);
  const bool as_it_is = (flags & (O_DIRECTORY | O_DSYNC | O_TRUNC)) == 0;
  if (slot != nullptr && as_it_is) return copy_of(slot->fd);
  const auto place = resolve(path);
  if (!place) return {};
  if (is_slot(path)) return os::Fd(::open(path_of(place->at).c_str(), flags | O_CLOEXEC));
  const std::string name = place->name.empty() ? "." : place->name;
  return os::Fd(::openat(place->at.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
}

std::string DirectoryRunner::run(const Operation& operation) {
  if (operation.kind < Kind::kWrite) return run_names(operation);
  if (operation.kind <= Kind::kCopy) return run_content(operation);
  if (operation.kind < Kind::kList) return run_attributes(operation);
  return run_handles(operation);
}

std::string DirectoryRunner::make(const Operation& operation) {
  const auto place = resolve(operation.path);
  if (!place) return done(-1);
  const int at = place->at.get();
  const char* const name = place->name.c_str();
  const auto mode = static_cast<mode_t>(operation.value);
  switch (operation.kind) {
    case Kind::kMkdir:
      return done(::mkdirat(at, name, mode));
    case Kind::kSymlink:
      return done(::symlinkat(operation.to.c_str(), at, name));
    case Kind::kMknod: {
      const mode_t type = mode_of(static_cast<meta::FileType>(operation.extra));
      const dev_t device = S_ISCHR(type) || S_ISBLK(type) ? ::makedev(1, 3) : 0;
      return done(::mknodat(at, name, type | mode, device));
    }
    default: {
      const os::Fd fd(::openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
      return done(fd.get());
    }
  }
}

std::string DirectoryRunner::link(const Operation& operation) {
  const auto from = resolve(operation.path);
  if (!from) return done(-1);
  const auto to = resolve(operation.to);
  // As long as what is to be linked exists, the place for it may be what is wrong.
  if (!to) {
    const int wrong = errno;
    const os::Fd node = node_of(operation.path);
    if (node.valid()) errno = wrong;
    return done(-1);
  }
  return done(::linkat(from->at.get(), from->name.c_str(), to->at.get(), to->name.c_str(),
                       from->name.empty() ? AT_EMPTY_PATH : 0));
}

std::string DirectoryRunner::rename(const Operation& operation) {
  const auto from = resolve(operation.path);
  if (!from) return done(-1);
  const auto to = resolve(operation.to);
  if (!to) return done(-1);
  unsigned flags = 0;
  if (operation.kind == Kind::kRenameNew) flags = RENAME_NOREPLACE;
  if (operation.kind == Kind::kExchange) flags = RENAME_EXCHANGE;
  return done(
      ::renameat2(from->at.get(), from->name.c_str(), to->at.get(), to->name.c_str(), flags));
}

std::string DirectoryRunner::run_names(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kLink:
      return link(operation);
    case Kind::kUnlink:
    case Kind::kRmdir: {
      const auto place = resolve(operation.path);
      if (!place) return done(-1);
      return done(::unlinkat(place->at.get(), place->name.c_str(),
                             operation.kind == Kind::kRmdir ? AT_REMOVEDIR : 0));
    }
    case Kind::kRename:
    case Kind::kRenameNew:
    case Kind::kExchange:
      return rename(operation);
    default:
      return make(operation);
  }
}

std::string DirectoryRunner::write(const Operation& operation) {
  const int flags = operation.kind == Kind::kWriteDurable ? O_WRONLY | O_DSYNC : O_WRONLY;
  const os::Fd fd = open(operation.path, flags);
  if (!fd.valid()) return done(-1);
  const std::string bytes = model::bytes_of(operation.value, operation.length);
  const ssize_t count =
      ::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(operation.offset));
  if (count < 0) return done(-1);
  return static_cast<size_t>(count) == bytes.size() ? "ok" : fmt::format("wrote {}", count);
}

std::string DirectoryRunner::read(const Operation& operation) {
  const os::Fd fd = open(operation.path, O_RDONLY);
  if (!fd.valid()) return done(-1);
  std::string bytes(operation.length, 'x');
  const ssize_t count =
      ::pread(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(operation.offset));
  if (count < 0) return done(-1);
  bytes.resize(static_cast<size_t>(count));
  return answered(model::answer_of_bytes(bytes));
}

std::string DirectoryRunner::truncate(const Operation& operation) {
  if (operation.length == 0) return done(open(operation.path, O_WRONLY | O_TRUNC).get());
  const auto size = static_cast<off_t>(operation.length);
  const os::Fd node = node_of(operation.path);
  struct stat status = {};
  if (!node.valid() || ::fstat(node.get(), &status) != 0) return done(-1);
  // To the size that the file has truncate(2) does nothing, but ftruncate(2) sets times.
  const bool by_handle = open_slot(operation.path) != nullptr || status.st_size == size;
  if (by_handle) return done(::ftruncate(open(operation.path, O_WRONLY).get(), size));
  return done(::truncate(path_of(node).c_str(), size));
}

std::string DirectoryRunner::allocate(const Operation& operation) {
  int mode = 0;
  if (operation.kind == Kind::kAllocateKeep) mode = FALLOC_FL_KEEP_SIZE;
  if (operation.kind == Kind::kPunch) mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  if (operation.kind == Kind::kZero) mode = FALLOC_FL_ZERO_RANGE;
  if (operation.kind == Kind::kZeroKeep) mode = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
  const os::Fd fd = open(operation.path, O_WRONLY);
  if (!fd.valid()) return done(-1);
  return done(::fallocate(fd.get(), mode, static_cast<off_t>(operation.offset),
                          static_cast<off_t>(operation.length)));
}

std::string DirectoryRunner::copy(const Operation& operation) {
  const os::Fd from = open(operation.path, O_RDONLY);
  if (!from.valid()) return done(-1);
  const os::Fd to = open(operation.to, O_WRONLY);
  if (!to.valid()) return done(-1);
  auto in = static_cast<off_t>(operation.offset);
  auto out = static_cast<off_t>(operation.extra);
  const ssize_t count = ::copy_file_range(from.get(), &in, to.get(), &out, operation.length, 0);
  return count < 0 ? done(-1) : answered(std::to_string(count));
}

std::string DirectoryRunner::run_content(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kWrite:
    case Kind::kWriteDurable:
      return write(operation);
    case Kind::kRead:
      return read(operation);
    case Kind::kTruncate:
      return truncate(operation);
    case Kind::kCopy:
      return copy(operation);
    default:
      return allocate(operation);
  }
}

// What the kernel shows is what was set, to the nanosecond: the dumps leave access times out.
std::string DirectoryRunner::set_times(const Operation& operation) {
  const auto time = [](uint64_t value) {
    const auto at = static_cast<int64_t>(value);
    if (value == 0) return timespec{0, UTIME_OMIT};
    if (value == 1) return timespec{0, UTIME_NOW};
    return timespec{at / 1'000'000'000, at % 1'000'000'000};
  };
  const os::Fd node = node_of(operation.path);
  if (!node.valid()) return done(-1);
  const timespec times[2] = {time(operation.value), time(operation.extra)};
  const Slot* const slot = open_slot(operation.path);
  const int result = slot != nullptr ? ::futimens(slot->fd.get(), times)
                                     : ::utimensat(AT_FDCWD, path_of(node).c_str(), times, 0);
  struct stat status = {};
  if (result != 0 || ::fstat(node.get(), &status) != 0) return done(-1);
  const Timestamp atime = attr_of(status).atime;
  const bool as_set = operation.value <= 1 || atime.ns == static_cast<int64_t>(operation.value);
  return as_set ? "ok" : fmt::format("set atime to {}", atime.ns);
}

std::string DirectoryRunner::run_xattrs(const Operation& operation) {
  const os::Fd node = node_of(operation.path);
  if (!node.valid()) return done(-1);
  const std::string path = path_of(node);
  const char* const name = operation.to.c_str();
  switch (operation.kind) {
    case Kind::kGetXattr: {
      std::string value(64 * kKiB, '\0');
      const ssize_t count = ::getxattr(path.c_str(), name, value.data(), value.size());
      if (count < 0) return done(-1);
      return answered(model::answer_of_bytes(value.substr(0, static_cast<size_t>(count))));
    }
    case Kind::kRemoveXattr:
      return done(::removexattr(path.c_str(), name));
    case Kind::kListXattrs: {
      std::string list(16 * kKiB, '\0');
      const ssize_t count = ::listxattr(path.c_str(), list.data(), list.size());
      if (count < 0) return done(-1);
      std::map<std::string, bool> names;
      for (ssize_t at = 0; at < count; at += static_cast<ssize_t>(std::strlen(&list[at])) + 1) {
        names[&list[at]] = true;
      }
      std::string answer;
      for (const auto& [each, known] : names) answer += each + " ";
      return answered(answer);
    }
    default: {
      const int flags = operation.kind == Kind::kCreateXattr    ? XATTR_CREATE
                        : operation.kind == Kind::kReplaceXattr ? XATTR_REPLACE
                                                                : 0;
      const std::string value = model::bytes_of(operation.value, operation.length);
      if (const Slot* const slot = open_slot(operation.path)) {
        return done(::fsetxattr(slot->fd.get(), name, value.data(), value.size(), flags));
      }
      return done(::setxattr(path.c_str(), name, value.data(), value.size(), flags));
    }
  }
}

std::string DirectoryRunner::run_attributes(const Operation& operation) {
  if (operation.kind == Kind::kUtimes) return set_times(operation);
  if (operation.kind >= Kind::kSetXattr) return run_xattrs(operation);
  const os::Fd node = node_of(operation.path);
  if (!node.valid()) return done(-1);
  switch (operation.kind) {
    case Kind::kStat: {
      struct stat status = {};
      if (::fstat(node.get(), &status) != 0) return done(-1);
      return answered(model::describe(attr_of(status), aspects_));
    }
    case Kind::kReadlink: {
      std::string target(model::kPageBytes, '\0');
      const ssize_t length = ::readlinkat(node.get(), "", target.data(), target.size());
      if (length < 0) return done(-1);
      return answered(target.substr(0, static_cast<size_t>(length)));
    }
    case Kind::kChown:
      return done(::fchownat(node.get(), "", static_cast<uid_t>(operation.value),
                             static_cast<gid_t>(operation.extra), AT_EMPTY_PATH));
    default: {
      const auto mode = static_cast<mode_t>(operation.value);
      if (const Slot* const slot = open_slot(operation.path)) {
        return done(::fchmod(slot->fd.get(), mode));
      }
      return done(::chmod(path_of(node).c_str(), mode));
    }
  }
}

std::string DirectoryRunner::list(const Operation& operation) {
  const os::Fd directory = open(operation.path, O_RDONLY | O_DIRECTORY);
  if (!directory.valid()) return done(-1);
  std::map<std::string, meta::FileType> entries;
  std::string complaint;
  const auto add = [&](const Listed& entry) {
    struct stat status = {};
    if (!entries.emplace(entry.name, entry.type).second) complaint += "TWICE ";
    if (::fstatat(directory.get(), entry.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      complaint += "NOT THERE ";
    } else if (status.st_ino != entry.ino) {
      complaint += "OTHER INODE ";
    }
    return true;
  };
  if (!each_entry(directory, kListBytes * operation.length, add)) return done(-1);
  return answered(model::answer_of_entries(entries) + complaint);
}

std::string DirectoryRunner::hold(const Operation& operation) {
  const os::Fd node = node_of(operation.path);
  if (!node.valid()) return done(-1);
  struct stat status = {};
  if (::fstat(node.get(), &status) != 0) return done(-1);
  Slot slot;
  slot.is_open = S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
  if (S_ISREG(status.st_mode)) slot.fd = open(operation.path, O_RDWR);
  if (S_ISDIR(status.st_mode)) slot.fd = open(operation.path, O_RDONLY | O_DIRECTORY);
  if (!slot.is_open) slot.fd = copy_of(node);
  if (!slot.fd.valid()) return done(-1);
  slots_[operation.value % kSlots] = std::move(slot);
  return "ok";
}

// What cannot be opened can be synced with everything else.
std::string DirectoryRunner::sync(const Operation& operation) {
  const os::Fd node = node_of(operation.path);
  struct stat status = {};
  if (!node.valid() || ::fstat(node.get(), &status) != 0) return done(-1);
  if (S_ISREG(status.st_mode)) return done(::fsync(open(operation.path, O_WRONLY).get()));
  const std::string directory = S_ISDIR(status.st_mode) ? operation.path : "/";
  return done(::fsync(open(directory, O_RDONLY | O_DIRECTORY).get()));
}

std::string DirectoryRunner::run_handles(const Operation& operation) {
  const size_t index = operation.value % kSlots;
  switch (operation.kind) {
    case Kind::kHold:
      return hold(operation);
    case Kind::kRelease:
      slots_[index].reset();
      return "ok";
    case Kind::kList:
      return list(operation);
    case Kind::kScan:
      scans_[index] = open(operation.path, O_RDONLY | O_DIRECTORY);
      return done(scans_[index].get());
    default:
      return sync(operation);
  }
}

Result<std::vector<std::string>> DirectoryRunner::scan_on(size_t slot, size_t count, bool& at_end) {
  os::Fd& directory = scans_[slot % kSlots];
  std::vector<std::string> names;
  at_end = true;
  const bool read = each_entry(directory, kScanBytes, [&](const Listed& entry) {
    names.push_back(entry.name);
    at_end = names.size() != count;
    return at_end;
  });
  if (!read) return error_from_errno(errno, "getdents");
  if (at_end) directory.reset();
  return names;
}

model::Dump DirectoryRunner::dump(const model::Aspects& aspects, model::Inodes* inodes) {
  const bool cold = ++dumps_ % 2 == 0;
  const os::Fd root(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  model::Dump dump = dump_of(root, aspects, cold, inodes);
  for (size_t i = 0; i < kSlots; ++i) {
    if (slots_[i]) dump["@" + std::to_string(i)] = line_of(slots_[i]->fd, aspects, cold);
  }
  return dump;
}

model::Dump DirectoryRunner::dump_past(size_t moment, const model::Aspects& aspects) {
  const os::Fd root(::open(moments_[moment].c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return {{"/", std::string("cannot be reached: ") + std::strerror(errno)}};
  return dump_of(root, aspects, false);
}

}  // namespace nacre::mount_test
