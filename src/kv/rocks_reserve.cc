#include "kv/rocks_reserve.h"

#include "base/units.h"

namespace nacre::kv {

Result<std::unique_ptr<SpaceReserve>> SpaceReserve::open(os::FileSystem& disk,
                                                         const std::string& path, uint64_t bytes) {
  std::unique_ptr<os::File> file = TRY(disk.open(path, os::OpenMode::kCreate));
  uint64_t size = TRY(file->size());
  if (size > bytes) {
    TRY(file->truncate(bytes));
    size = bytes;
  }
  std::unique_ptr<SpaceReserve> reserve(new SpaceReserve(disk, path, bytes, std::move(file)));
  reserve->held_ = size >= bytes;
  return reserve;
}

Status SpaceReserve::take() {
  const os::Lock lock(mutex_);
  if (held_) return {};
  // Some more must be free, or the next write would need the reserve at once.
  const uint64_t needed_bytes = bytes_ + bytes_ / 4;
  const uint64_t free_bytes = TRY(disk_.space(path_)).free_bytes;
  Status taken = Code::kNoSpace;
  if (free_bytes >= needed_bytes) taken = file_->allocate(0, bytes_);
  if (taken.ok()) {
    held_ = true;
    return {};
  }
  static_cast<void>(file_->truncate(0));  // what was allocated before it failed
  if (taken.code() != Code::kNoSpace) return taken;
  return Error(Code::kNoSpace, "the disk of " + path_ + " is full: free at least " +
                                   format_size(needed_bytes) + " to go on");
}

bool SpaceReserve::give() {
  const os::Lock lock(mutex_);
  if (!held_) return false;
  held_ = false;
  return file_->truncate(0).ok();
}

}  // namespace nacre::kv
