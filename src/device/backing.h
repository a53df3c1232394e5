// Where a device keeps its bytes on the host: a directory with one file per segment, or an image
// (a block device or a plain file) divided into segments. Thread-safe. Errors name the host's path.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "device/group_sync.h"
#include "os/file_system.h"
#include "wire/device_layout.h"

namespace nacre::device {

// A file of the host whose sync is shared among callers.
class SyncedFile {
 public:
  // `after_sync` runs after each sync of the file and belongs to it; may be empty.
  SyncedFile(std::unique_ptr<os::File> file, std::function<Status()> after_sync)
      : file_(std::move(file)), after_sync_(std::move(after_sync)) {}

  os::File& file() { return *file_; }
  // Everything written before the call survives a power cut on return.
  Status sync();

 private:
  const std::unique_ptr<os::File> file_;
  const std::function<Status()> after_sync_;
  GroupSync group_;
};

// The bytes of one segment. A handle: cheap to copy, keeps the host's file open.
class SegmentFile {
 public:
  SegmentFile() = default;
  SegmentFile(std::shared_ptr<SyncedFile> file, uint64_t base)
      : file_(std::move(file)), base_(base) {}

  // Fills `into` from `offset`; what the host's file is too short for reads as zero.
  Status read(uint64_t offset, MutableBytes into) const;
  // The parts one after another, as one write. Not durable before sync().
  Status write(uint64_t offset, std::span<const ByteView> parts) const;
  Status write(uint64_t offset, ByteView bytes) const { return write(offset, {&bytes, 1}); }
  Status sync() const { return file_->sync(); }
  bool shares_file_with(const SegmentFile& other) const { return file_ == other.file_; }
  void start_writeback(uint64_t offset, uint64_t length) const {
    file_->file().start_writeback(base_ + offset, length);
  }

 private:
  std::shared_ptr<SyncedFile> file_;
  uint64_t base_ = 0;
};

class Backing {
 public:
  virtual ~Backing() = default;

  // The page of copy 0 or 1 of the superblock, zeros if it was never written.
  virtual Result<std::string> read_superblock(int copy) = 0;
  // Durable on return.
  virtual Status write_superblock(int copy, ByteView page) = 0;

  // Must be called once before the segments are used.
  virtual Status set_geometry(const wire::Superblock& superblock) = 0;
  // The segments that have space on the host; the others exist in number only.
  virtual Result<std::vector<uint32_t>> existing_segments() = 0;
  // kNotFound for a segment without space on the host.
  virtual Result<SegmentFile> open_segment(uint32_t segment) = 0;
  // Gives the segment space, so that writing to it cannot run out. kNoSpace if the host has none.
  // New bytes read as zero. That it exists is durable after a sync of the file.
  virtual Result<SegmentFile> create_segment(uint32_t segment) = 0;
  // Gives the space back to the host. Nobody may use the segment meanwhile.
  virtual Status release_segment(uint32_t segment) = 0;
  // Bytes that the host could still give to new segments.
  virtual Result<uint64_t> host_free_bytes() = 0;
};

inline constexpr std::string_view kSegmentsDirectory = "segments";
inline constexpr std::string_view kLockFile = "lock";
// The name of superblock file 0 or 1 in a directory.
std::string superblock_file(int copy);

std::unique_ptr<Backing> open_directory(os::FileSystem& files, const std::string& path,
                                        bool read_only);
Result<std::unique_ptr<Backing>> open_image(os::FileSystem& files, const std::string& path,
                                            bool read_only);

}  // namespace nacre::device
