// Open files and directories as a benchmark needs them: the system calls themselves, nothing
// cached, errors with the path. Each object belongs to one thread at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace nacre::cli::bench {

class File {
 public:
  // As open(2); new files get mode 0644.
  static Result<File> open(const std::string& path, int flags);
  // As openat(2) in this directory.
  Result<File> open_in(const std::string& name, int flags) const;
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&&) = delete;

  Status close();
  Status sync();
  // All of `data` at the file's own offset, or at `offset`.
  Status write(ByteView data);
  Status write_at(ByteView data, uint64_t offset);
  // One read(2); 0 at the end of the file.
  Result<size_t> read(MutableBytes into);
  // All of `into` from `offset`; kIo if the file ends before.
  Status read_at(MutableBytes into, uint64_t offset);
  // Lets go of the file's clean pages. Only a hint to the kernel.
  void forget_pages();

  // On names in this directory.
  Status stat_in(const std::string& name) const;
  Status rename_in(const std::string& from, const std::string& to) const;
  Status unlink_in(const std::string& name) const;

 private:
  File(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Error failed(std::string_view call) const;
  Error failed_in(std::string_view call, const std::string& name) const;
  Error took_nothing() const;

  int fd_;
  std::string path_;
};

Result<File> open_directory(const std::string& path);
Status make_directory(const std::string& path);
// Every name but "." and ".." in the directory's own order, as readdir(3) hands them out.
Status for_each_name(const std::string& path, const std::function<Status(const char* name)>& visit);

}  // namespace nacre::cli::bench
