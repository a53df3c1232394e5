#include "os/real_file.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

#include "base/errno.h"

namespace nacre::os {
namespace {

constexpr uint64_t kMaxOffset = std::numeric_limits<off_t>::max();

class RealFile final : public File {
 public:
  RealFile(Fd fd, std::string path, bool block_device)
      : fd_(std::move(fd)), path_(std::move(path)), block_device_(block_device) {}

  Result<size_t> read_at(uint64_t offset, MutableBytes into) override {
    size_t done = 0;
    while (done < into.size() && offset + done <= kMaxOffset) {
      const ssize_t n = retry_interrupted([&] {
        return ::pread(fd_.get(), into.data() + done, into.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (n < 0) return failed("read");
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }

  Status write_at(uint64_t offset, ByteView data) override {
    TRY(check_range("write", offset, data.size()));
    while (!data.empty()) {
      const ssize_t n = retry_interrupted([&] {
        return ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      });
      if (n < 0) return failed("write");
      data = data.subspan(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return {};
  }

  Status write_parts_at(uint64_t offset, std::span<const ByteView> parts) override {
    std::vector<iovec> vectors;
    vectors.reserve(parts.size());
    uint64_t total_bytes = 0;
    for (const ByteView part : parts) {
      if (part.empty()) continue;
      // The kernel only reads through this pointer.
      vectors.push_back({const_cast<std::byte*>(part.data()), part.size()});
      total_bytes += part.size();
    }
    TRY(check_range("write", offset, total_bytes));
    std::span<iovec> left = vectors;
    while (!left.empty()) {
      const int count = static_cast<int>(std::min<size_t>(left.size(), IOV_MAX));
      const ssize_t n = retry_interrupted(
          [&] { return ::pwritev(fd_.get(), left.data(), count, static_cast<off_t>(offset)); });
      if (n < 0) return failed("write");
      offset += static_cast<uint64_t>(n);
      left = after(left, static_cast<size_t>(n));
    }
    return {};
  }

  Status sync() override {
    // After a failed write-back the kernel drops the pages and reports success the next time. What
    // was lost stays lost, so the failure is remembered.
    int error_number = sync_error_.load();
    if (error_number == 0 && retry_interrupted([&] { return ::fdatasync(fd_.get()); }) != 0) {
      error_number = errno;
      sync_error_.store(error_number);
    }
    if (error_number != 0) return error_from_errno(error_number, "sync " + path_);
    return {};
  }

  void start_writeback(uint64_t offset, uint64_t length) override {
    if (offset > kMaxOffset || length > kMaxOffset - offset) return;
    // Only a hint: an error will come back from sync().
    ::sync_file_range(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(length),
                      SYNC_FILE_RANGE_WRITE);
  }

  Status allocate(uint64_t offset, uint64_t length) override {
    TRY(check_range("allocate", offset, length));
    if (length == 0) return {};
    if (block_device_) {
      if (offset + length <= TRY(size())) return {};
      return error_from_errno(ENOSPC, "allocate past the end of " + path_);
    }
    int error_number = EINTR;
    // Some file systems fill themselves up before they find that the rest does not fit.
    if (!may_fit(length)) error_number = ENOSPC;
    while (error_number == EINTR) {
      error_number =
          ::posix_fallocate(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(length));
    }
    if (error_number != 0) return error_from_errno(error_number, "allocate " + path_);
    return {};
  }

  Status truncate(uint64_t size) override {
    TRY(check_range("truncate", size, 0));
    const int result =
        retry_interrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); });
    if (result != 0) return failed("truncate");
    return {};
  }

  Result<uint64_t> size() override {
    if (block_device_) {
      uint64_t bytes = 0;
      if (::ioctl(fd_.get(), BLKGETSIZE64, &bytes) != 0) return failed("size of");
      return bytes;
    }
    struct stat info = {};
    if (::fstat(fd_.get(), &info) != 0) return failed("size of");
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  Error failed(const char* operation) const {
    return error_from_errno(errno, std::string(operation) + " " + path_);
  }

  Status check_range(const char* operation, uint64_t offset, uint64_t length) const {
    if (offset <= kMaxOffset && length <= kMaxOffset - offset) return {};
    return error_from_errno(EFBIG, std::string(operation) + " " + path_);
  }

  // False if `length` bytes are more than the file has and its file system can add.
  bool may_fit(uint64_t length) const {
    struct stat file = {};
    struct statvfs host = {};
    if (::fstat(fd_.get(), &file) != 0 || ::fstatvfs(fd_.get(), &host) != 0) return true;
    const uint64_t has_bytes = static_cast<uint64_t>(file.st_blocks) * 512;
    return length <= has_bytes || length - has_bytes <= host.f_frsize * host.f_bavail;
  }

  // What is left of `vectors` when their first `count` bytes are written.
  static std::span<iovec> after(std::span<iovec> vectors, size_t count) {
    while (!vectors.empty() && count >= vectors.front().iov_len) {
      count -= vectors.front().iov_len;
      vectors = vectors.subspan(1);
    }
    if (count > 0) {
      vectors.front().iov_base = static_cast<std::byte*>(vectors.front().iov_base) + count;
      vectors.front().iov_len -= count;
    }
    return vectors;
  }

  const Fd fd_;
  const std::string path_;
  const bool block_device_;
  std::atomic<int> sync_error_ = 0;
};

}  // namespace

std::unique_ptr<File> make_real_file(Fd fd, std::string path, bool block_device) {
  return std::make_unique<RealFile>(std::move(fd), std::move(path), block_device);
}

}  // namespace nacre::os
