#include "cli_bench/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

#include "base/errno.h"

namespace nacre::cli::bench {
namespace {
constexpr mode_t kNewFileMode = 0644;
}  // namespace

Result<File> File::open(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, kNewFileMode);
  if (fd < 0) return error_from_errno(errno, "open " + path);
  return File(fd, path);
}

Result<File> File::open_in(const std::string& name, int flags) const {
  const int fd = ::openat(fd_, name.c_str(), flags | O_CLOEXEC, kNewFileMode);
  if (fd < 0) return failed_in("open", name);
  return File(fd, path_ + "/" + name);
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

File::File(File&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

Error File::failed(std::string_view call) const {
  return error_from_errno(errno, std::string(call) + " " + path_);
}

Error File::failed_in(std::string_view call, const std::string& name) const {
  return error_from_errno(errno, std::string(call) + " " + path_ + "/" + name);
}

Error File::took_nothing() const { return {Code::kIo, "write " + path_ + ": took no bytes"}; }

Status File::close() {
  if (::close(std::exchange(fd_, -1)) != 0) return failed("close");
  return {};
}

Status File::sync() {
  if (::fsync(fd_) != 0) return failed("fsync");
  return {};
}

Status File::write(ByteView data) {
  while (!data.empty()) {
    const ssize_t count = ::write(fd_, data.data(), data.size());
    if (count < 0 && errno != EINTR) return failed("write");
    if (count == 0) return took_nothing();
    if (count < 0) continue;
    data = data.subspan(static_cast<size_t>(count));
  }
  return {};
}

Status File::write_at(ByteView data, uint64_t offset) {
  while (!data.empty()) {
    const ssize_t count = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno != EINTR) return failed("write");
    if (count == 0) return took_nothing();
    if (count < 0) continue;
    data = data.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<size_t> File::read(MutableBytes into) {
  const ssize_t count = ::read(fd_, into.data(), into.size());
  if (count < 0) return failed("read");
  return static_cast<size_t>(count);
}

Status File::read_at(MutableBytes into, uint64_t offset) {
  while (!into.empty()) {
    const ssize_t count = ::pread(fd_, into.data(), into.size(), static_cast<off_t>(offset));
    if (count < 0 && errno != EINTR) return failed("read");
    if (count == 0) return Error(Code::kIo, path_ + " is shorter than what was written");
    if (count < 0) continue;
    into = into.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

void File::forget_pages() { ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED); }

Status File::stat_in(const std::string& name) const {
  struct stat attributes = {};
  if (::fstatat(fd_, name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW) != 0) {
    return failed_in("stat", name);
  }
  return {};
}

Status File::rename_in(const std::string& from, const std::string& to) const {
  if (::renameat(fd_, from.c_str(), fd_, to.c_str()) != 0) return failed_in("rename", from);
  return {};
}

Status File::unlink_in(const std::string& name) const {
  if (::unlinkat(fd_, name.c_str(), 0) != 0) return failed_in("unlink", name);
  return {};
}

Result<File> open_directory(const std::string& path) {
  return File::open(path, O_RDONLY | O_DIRECTORY);
}

Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0) return error_from_errno(errno, "make directory " + path);
  return {};
}

Status for_each_name(const std::string& path,
                     const std::function<Status(const char* name)>& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(path.c_str()), ::closedir);
  if (!open) return error_from_errno(errno, "open directory " + path);
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(open.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") TRY(visit(entry->d_name));
  }
  if (errno != 0) return error_from_errno(errno, "read directory " + path);
  return {};
}

}  // namespace nacre::cli::bench
