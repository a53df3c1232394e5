// A device in a block device or a plain file: a superblock in its first page and one in its last,
// segments between them.
#include <fmt/format.h>

#include <numeric>

#include "device/backing.h"

namespace nacre::device {
namespace {

class ImageBacking final : public Backing {
 public:
  ImageBacking(std::string path, std::shared_ptr<SyncedFile> file, uint64_t size_bytes)
      : path_(std::move(path)), file_(std::move(file)), end_bytes_(usable(size_bytes)) {}

  Result<std::string> read_superblock(int copy) override {
    std::string page(wire::kDevicePageBytes, '\0');
    TRY(file_->file().read_at(offset_of(copy), as_writable_bytes(page)));
    // An image that has grown since keeps its last superblock where it was.
    if (copy == 0) {
      const Result<wire::Superblock> first = wire::decode_superblock(as_bytes(page));
      if (first.ok() && first->device_bytes <= end_bytes_) end_bytes_ = usable(first->device_bytes);
    }
    return page;
  }

  Status write_superblock(int copy, ByteView page) override {
    TRY(file_->file().write_at(offset_of(copy), page));
    return file_->sync();
  }

  Status set_geometry(const wire::Superblock& superblock) override {
    if (usable(superblock.device_bytes) > end_bytes_) {
      return Error(Code::kCorrupt,
                   fmt::format("{} has {} bytes, but its superblock says {}: it was cut off", path_,
                               end_bytes_, superblock.device_bytes));
    }
    end_bytes_ = usable(superblock.device_bytes);
    segment_bytes_ = superblock.segment_bytes;
    segment_count_ = superblock.segment_count;
    first_segment_bytes_ = superblock.first_segment_bytes;
    return {};
  }

  Result<std::vector<uint32_t>> existing_segments() override {
    std::vector<uint32_t> segments(segment_count_);
    std::iota(segments.begin(), segments.end(), 0u);
    return segments;
  }

  Result<SegmentFile> open_segment(uint32_t segment) override {
    return SegmentFile(file_, first_segment_bytes_ + segment * segment_bytes_);
  }
  Result<SegmentFile> create_segment(uint32_t segment) override { return open_segment(segment); }
  Status release_segment(uint32_t) override { return {}; }
  Result<uint64_t> host_free_bytes() override { return uint64_t{0}; }

 private:
  static uint64_t usable(uint64_t size_bytes) {
    return round_down(size_bytes, wire::kDevicePageBytes);
  }
  uint64_t offset_of(int copy) const { return copy == 0 ? 0 : end_bytes_ - wire::kDevicePageBytes; }

  const std::string path_;
  const std::shared_ptr<SyncedFile> file_;
  uint64_t end_bytes_;  // set while opening only, like the rest
  uint64_t segment_bytes_ = 0;
  uint32_t segment_count_ = 0;
  uint64_t first_segment_bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<Backing>> open_image(os::FileSystem& files, const std::string& path,
                                            bool read_only) {
  const auto mode = read_only ? os::OpenMode::kRead : os::OpenMode::kReadWrite;
  auto file = std::make_shared<SyncedFile>(TRY(files.open(path, mode)), nullptr);
  const uint64_t size_bytes = TRY(file->file().size());
  if (size_bytes < 2 * wire::kDevicePageBytes) {
    return Error(Code::kCorrupt, path + " is too small for a Nacre device");
  }
  return std::unique_ptr<Backing>(
      std::make_unique<ImageBacking>(path, std::move(file), size_bytes));
}

}  // namespace nacre::device
