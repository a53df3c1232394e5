// A device in a directory: superblock.0, superblock.1, and segments/ with one file per segment,
// named by its number in hexadecimal.
#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <list>
#include <unordered_map>

#include "device/backing.h"
#include "os/mutex.h"

namespace nacre::device {
namespace {

constexpr size_t kMaxOpenFiles = 128;

// The most recently used segment files, so that a large device does not need a descriptor for each
// segment. Files in use elsewhere are kept beyond the limit. Thread-safe.
class OpenFiles {
 public:
  using File = std::shared_ptr<SyncedFile>;

  File get(uint32_t segment) {
    os::Lock lock(mutex_);
    const auto found = by_segment_.find(segment);
    if (found == by_segment_.end()) return nullptr;
    recent_.splice(recent_.begin(), recent_, found->second);
    return found->second->second;
  }

  // The file now open for the segment: an earlier one if two callers opened it at once.
  File add(uint32_t segment, File file) {
    os::Lock lock(mutex_);
    const auto found = by_segment_.find(segment);
    if (found != by_segment_.end()) return found->second->second;
    recent_.emplace_front(segment, file);
    by_segment_[segment] = recent_.begin();
    evict();
    return file;
  }

  void drop(uint32_t segment) {
    os::Lock lock(mutex_);
    const auto found = by_segment_.find(segment);
    if (found == by_segment_.end()) return;
    recent_.erase(found->second);
    by_segment_.erase(found);
  }

 private:
  using Recent = std::list<std::pair<uint32_t, File>>;

  void evict() REQUIRES(mutex_) {
    for (auto at = recent_.end(); recent_.size() > kMaxOpenFiles && at != recent_.begin();) {
      --at;
      if (at->second.use_count() > 1) continue;
      by_segment_.erase(at->first);
      at = recent_.erase(at);
    }
  }

  os::Mutex mutex_;  // a leaf
  Recent recent_ GUARDED_BY(mutex_);
  std::unordered_map<uint32_t, Recent::iterator> by_segment_ GUARDED_BY(mutex_);
};

class DirectoryBacking final : public Backing {
 public:
  DirectoryBacking(os::FileSystem& files, const std::string& path, bool read_only)
      : files_(files),
        path_(path),
        segments_path_(path + "/" + std::string(kSegmentsDirectory)),
        read_only_(read_only) {}

  Result<std::string> read_superblock(int copy) override {
    std::string page(wire::kDevicePageBytes, '\0');
    const std::string path = path_ + "/" + superblock_file(copy);
    if (TRY(files_.kind(path)) == os::PathKind::kMissing) return page;
    const auto file = TRY(files_.open(path, os::OpenMode::kRead));
    TRY(file->read_at(0, as_writable_bytes(page)));
    return page;
  }

  Status write_superblock(int copy, ByteView page) override {
    const auto file = TRY(files_.open(path_ + "/" + superblock_file(copy), os::OpenMode::kCreate));
    TRY(file->write_at(0, page));
    TRY(file->sync());
    return files_.sync_directory(path_);
  }

  Status set_geometry(const wire::Superblock& superblock) override {
    segment_bytes_ = superblock.segment_bytes;
    segment_count_ = superblock.segment_count;
    return {};
  }

  Result<std::vector<uint32_t>> existing_segments() override {
    std::vector<uint32_t> segments;
    for (const std::string& name : TRY(files_.list(segments_path_))) {
      uint32_t segment = 0;
      const char* end = name.data() + name.size();
      const auto parsed = std::from_chars(name.data(), end, segment, 16);
      if (parsed.ptr != end || segment >= segment_count_ || name != name_of(segment)) continue;
      segments.push_back(segment);
    }
    return segments;
  }

  Result<SegmentFile> open_segment(uint32_t segment) override {
    if (OpenFiles::File file = open_files_.get(segment)) return SegmentFile(std::move(file), 0);
    const auto mode = read_only_ ? os::OpenMode::kRead : os::OpenMode::kReadWrite;
    auto file = TRY(files_.open(path_of(segment), mode));
    return SegmentFile(open_files_.add(segment, synced(std::move(file))), 0);
  }

  Result<SegmentFile> create_segment(uint32_t segment) override {
    auto file = TRY(files_.open(path_of(segment), os::OpenMode::kCreate));
    if (const Status allocated = file->allocate(0, segment_bytes_); !allocated.ok()) {
      (void)files_.remove_file(path_of(segment)).ok();  // an empty file there would do no harm
      return allocated.error();
    }
    entries_made_.fetch_add(1);
    return SegmentFile(open_files_.add(segment, synced(std::move(file))), 0);
  }

  Status release_segment(uint32_t segment) override {
    open_files_.drop(segment);
    return files_.remove_file(path_of(segment));
  }

  Result<uint64_t> host_free_bytes() override { return TRY(files_.space(path_)).free_bytes; }

 private:
  static std::string name_of(uint32_t segment) { return fmt::format("{:08x}", segment); }
  std::string path_of(uint32_t segment) const { return segments_path_ + "/" + name_of(segment); }

  std::shared_ptr<SyncedFile> synced(std::unique_ptr<os::File> file) {
    return std::make_shared<SyncedFile>(std::move(file), [this] { return sync_entries(); });
  }

  // A new file is durable only with its entry in the directory.
  Status sync_entries() {
    const uint64_t made = entries_made_.load();
    if (entries_synced_.load() >= made) return {};
    TRY(entries_sync_.run([this] { return files_.sync_directory(segments_path_); }));
    uint64_t synced = entries_synced_.load();
    while (synced < made && !entries_synced_.compare_exchange_weak(synced, made)) {
    }
    return {};
  }

  os::FileSystem& files_;
  const std::string path_;
  const std::string segments_path_;
  const bool read_only_;
  uint64_t segment_bytes_ = 0;
  uint32_t segment_count_ = 0;
  OpenFiles open_files_;
  // Begins with one for those of an earlier process, which may have died before it synced them.
  std::atomic<uint64_t> entries_made_ = 1;
  std::atomic<uint64_t> entries_synced_ = 0;
  GroupSync entries_sync_;
};

}  // namespace

std::unique_ptr<Backing> open_directory(os::FileSystem& files, const std::string& path,
                                        bool read_only) {
  return std::make_unique<DirectoryBacking>(files, path, read_only);
}

}  // namespace nacre::device
