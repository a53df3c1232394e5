#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/errno.h"
#include "os/fd.h"
#include "os/file_system.h"
#include "os/real_file.h"

namespace nacre::os {
namespace {

// Volumes hold other people's data: nobody but the owner reads them from below.
constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

Error failed(const char* operation, const std::string& path) {
  return error_from_errno(errno, std::string(operation) + " " + path);
}

PathKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return PathKind::kFile;
  if (S_ISDIR(mode)) return PathKind::kDirectory;
  if (S_ISBLK(mode)) return PathKind::kBlockDevice;
  return PathKind::kOther;
}

int open_flags(OpenMode mode, bool block_device) {
  if (mode == OpenMode::kRead) return O_RDONLY | O_CLOEXEC;
  // On a block device O_EXCL alone refuses one that is mounted or otherwise claimed.
  if (block_device) return O_RDWR | O_EXCL | O_CLOEXEC;
  if (mode == OpenMode::kCreate) return O_RDWR | O_CREAT | O_CLOEXEC;
  return O_RDWR | O_CLOEXEC;
}

class RealLock final : public FileLock {
 public:
  // Closing the last descriptor releases it; unlocking would take it from a forked child, too.
  explicit RealLock(Fd fd) : fd_(std::move(fd)) {}

 private:
  const Fd fd_;
};

class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (mode == OpenMode::kCreateNew) {
      return open_as(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, false);
    }
    // The kind is needed first: opening a pipe would wait, and only a device wants O_EXCL.
    const PathKind found = TRY(kind(path));
    switch (found) {
      case PathKind::kDirectory:
        return error_from_errno(EISDIR, "open " + path);
      case PathKind::kOther:
        return Error(Code::kInvalid, "open " + path + ": neither a file nor a block device");
      case PathKind::kMissing:
      case PathKind::kFile:
      case PathKind::kBlockDevice:
        break;
    }
    const bool block_device = found == PathKind::kBlockDevice;
    return open_as(path, open_flags(mode, block_device), block_device);
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (!directory) return failed("list", path);
    std::vector<std::string> names;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(directory.get());
      if (entry == nullptr) break;
      std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(std::move(name));
    }
    if (errno != 0) return failed("list", path);
    return names;
  }

  Status create_directories(const std::string& path) override {
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const std::string prefix = path.substr(0, end);
      if (::mkdir(prefix.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
        return failed("create directory", prefix);
      }
      if (end == std::string::npos) break;
    }
    if (TRY(kind(path)) == PathKind::kDirectory) return {};
    return error_from_errno(EEXIST, "create directory " + path);
  }

  Status remove_file(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return failed("remove", path);
    return {};
  }

  Status remove_directory(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return failed("remove directory", path);
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from + " to " + to);
    return {};
  }

  Status link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) != 0) return failed("link", from + " to " + to);
    return {};
  }

  Status sync_directory(const std::string& path) override {
    const Fd fd(retry_interrupted(
        [&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd.valid() || retry_interrupted([&] { return ::fsync(fd.get()); }) != 0) {
      return failed("sync directory", path);
    }
    return {};
  }

  Result<PathKind> kind(const std::string& path) override {
    struct stat info = {};
    if (::stat(path.c_str(), &info) == 0) return kind_of(info.st_mode);
    if (errno == ENOENT || errno == ENOTDIR) return PathKind::kMissing;
    return failed("stat", path);
  }

  Result<HostSpace> space(const std::string& path) override {
    struct statvfs info = {};
    if (::statvfs(path.c_str(), &info) != 0) return failed("free space of", path);
    return HostSpace{.total_bytes = info.f_frsize * info.f_blocks,
                     .free_bytes = info.f_frsize * info.f_bavail};
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    Fd fd(retry_interrupted(
        [&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode); }));
    if (!fd.valid()) return failed("open lock", path);
    if (retry_interrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) return Error(Code::kBusy, "lock " + path + ": already in use");
      return failed("lock", path);
    }
    return std::unique_ptr<FileLock>(std::make_unique<RealLock>(std::move(fd)));
  }

 private:
  static Result<std::unique_ptr<File>> open_as(const std::string& path, int flags,
                                               bool block_device) {
    Fd fd(retry_interrupted([&] { return ::open(path.c_str(), flags, kFileMode); }));
    if (!fd.valid()) return failed("open", path);
    return make_real_file(std::move(fd), path, block_device);
  }
};

}  // namespace

FileSystem& real_file_system() {
  static RealFileSystem file_system;
  return file_system;
}

}  // namespace nacre::os
