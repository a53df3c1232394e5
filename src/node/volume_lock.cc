#include "node/volume_lock.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "node/volume_paths.h"

namespace nacre::node {
namespace {

constexpr size_t kMaxIdDigits = 10;

// The id that the holder of the lock wrote into it; empty if there is none.
std::string holder_of(os::FileSystem& files, const std::string& path) {
  const auto file = files.open(path, os::OpenMode::kRead);
  if (!file.ok()) return "";
  std::string text(kMaxIdDigits, '\0');
  const auto count = (*file)->read_at(0, as_writable_bytes(text));
  if (!count.ok()) return "";
  text.resize(*count);
  text.erase(std::ranges::find_if(text, [](char c) { return c < '0' || c > '9'; }), text.end());
  return text;
}

Status write_holder(os::FileSystem& files, const std::string& path) {
  const auto file = TRY(files.open(path, os::OpenMode::kCreate));
  TRY(file->truncate(0));
  return file->write_at(0, as_bytes(fmt::format("{}\n", ::getpid())));
}

}  // namespace

Result<std::unique_ptr<os::FileLock>> lock_volume(os::FileSystem& files,
                                                  const std::string& directory, bool read_only) {
  const std::string path = lock_path(directory);
  auto lock = files.lock(path);
  if (lock.ok()) {
    if (!read_only) TRY(write_holder(files, path));
    return lock;
  }
  if (read_only && lock.code() == Code::kReadOnly) return std::unique_ptr<os::FileLock>();
  if (lock.code() != Code::kBusy) return lock.error();
  const std::string holder = holder_of(files, path);
  return Error(Code::kBusy, fmt::format("{} is in use by {}", directory,
                                        holder.empty() ? "another process" : "process " + holder));
}

}  // namespace nacre::node
