#include "device/backing.h"

#include <algorithm>

namespace nacre::device {

Status SyncedFile::sync() {
  return group_.run([this]() -> Status {
    TRY(file_->sync());
    return after_sync_ ? after_sync_() : Status();
  });
}

Status SegmentFile::read(uint64_t offset, MutableBytes into) const {
  const size_t count = TRY(file_->file().read_at(base_ + offset, into));
  std::ranges::fill(into.subspan(count), std::byte{0});
  return {};
}

Status SegmentFile::write(uint64_t offset, std::span<const ByteView> parts) const {
  return file_->file().write_parts_at(base_ + offset, parts);
}

std::string superblock_file(int copy) { return "superblock." + std::to_string(copy); }

}  // namespace nacre::device
