#include "kv/rocks_file_system.h"

#include <algorithm>
#include <limits>

#include "codec/checksum.h"
#include "kv/rocks_mark.h"
#include "kv/rocks_status.h"

namespace nacre::kv {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

ByteView bytes_of(const Slice& slice) { return as_bytes({slice.data(), slice.size()}); }

// Reads up to `length` bytes into `scratch`, which `into` then shows.
IOStatus read_into(os::File& file, uint64_t offset, size_t length, Slice* into, char* scratch) {
  const Result<size_t> count =
      file.read_at(offset, std::as_writable_bytes(std::span(scratch, length)));
  *into = Slice(scratch, count.ok() ? *count : 0);
  return count.ok() ? IOStatus::OK() : io_status_of(count.error());
}

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  // Shows the first `size` bytes.
  SequentialFile(std::unique_ptr<os::File> file, uint64_t size)
      : file_(std::move(file)), size_(size) {}

  IOStatus Read(size_t length, const IOOptions&, Slice* into, char* scratch,
                IODebugContext*) override {
    const uint64_t left = size_ - std::min(offset_, size_);
    IOStatus status = read_into(*file_, offset_, std::min<uint64_t>(length, left), into, scratch);
    offset_ += into->size();
    return status;
  }
  IOStatus Skip(uint64_t length) override {
    offset_ += length;
    return IOStatus::OK();
  }

 private:
  const std::unique_ptr<os::File> file_;
  const uint64_t size_;
  uint64_t offset_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(std::unique_ptr<os::File> file) : file_(std::move(file)) {}

  IOStatus Read(uint64_t offset, size_t length, const IOOptions&, Slice* into, char* scratch,
                IODebugContext*) const override {
    return read_into(*file_, offset, length, into, scratch);
  }

 private:
  const std::unique_ptr<os::File> file_;
};

class WritableFile : public rocksdb::FSWritableFile {
 public:
  WritableFile(std::unique_ptr<os::File> file, uint64_t size, const FileOptions& options,
               std::shared_ptr<SpaceReserve> reserve)
      : FSWritableFile(options),
        file_(std::move(file)),
        reserve_(std::move(reserve)),
        size_(size) {}

  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    const bool compaction = io_priority_ == rocksdb::Env::IO_LOW;
    if (compaction && reserve_ && !reserve_->held()) {
      return IOStatus::NoSpace("a compaction waits until the disk has room again");
    }
    const Status written = write_or_make_room(compaction ? nullptr : reserve_.get(), [&] {
      return file_->write_at(size_, bytes_of(data));
    });
    if (written.ok()) size_ += data.size();
    return io_status_of(written);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    const Status cut = file_->truncate(size);
    if (cut.ok()) size_ = size;
    return io_status_of(cut);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    file_.reset();
    return IOStatus::OK();
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return io_status_of(file_->sync()); }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }
  IOStatus RangeSync(uint64_t offset, uint64_t length, const IOOptions&, IODebugContext*) override {
    file_->start_writeback(offset, length);
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<os::File> file_;
  const std::shared_ptr<SpaceReserve> reserve_;
  uint64_t size_;
};

// Every sync is followed by that of the mark.
class ManifestFile final : public WritableFile {
 public:
  ManifestFile(std::unique_ptr<os::File> file, std::unique_ptr<MarkFile> mark,
               const FileOptions& options, std::shared_ptr<SpaceReserve> reserve)
      : WritableFile(std::move(file), 0, options, std::move(reserve)), mark_(std::move(mark)) {}

  using WritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = WritableFile::Append(data, options, debug);
    if (status.ok()) checksum_.update(bytes_of(data));
    return status;
  }
  IOStatus Truncate(uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::NotSupported("a manifest only grows");
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = WritableFile::Sync(options, debug);
    if (!status.ok()) return status;
    return io_status_of(
        mark_->set({.bytes = GetFileSize(options, debug), .checksum = checksum_.digest()}));
  }
  bool IsSyncThreadSafe() const override { return false; }

 private:
  const std::unique_ptr<MarkFile> mark_;
  codec::Xxh64Stream checksum_;
};

class RandomRwFile final : public rocksdb::FSRandomRWFile {
 public:
  explicit RandomRwFile(std::unique_ptr<os::File> file) : file_(std::move(file)) {}

  IOStatus Write(uint64_t offset, const Slice& data, const IOOptions&, IODebugContext*) override {
    return io_status_of(file_->write_at(offset, bytes_of(data)));
  }
  IOStatus Read(uint64_t offset, size_t length, const IOOptions&, Slice* into, char* scratch,
                IODebugContext*) const override {
    return read_into(*file_, offset, length, into, scratch);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return io_status_of(file_->sync()); }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    file_.reset();
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<os::File> file_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(os::FileSystem& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return io_status_of(disk_.sync_directory(path_));
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  os::FileSystem& disk_;
  const std::string path_;
};

class HeldLock final : public rocksdb::FileLock {
 public:
  explicit HeldLock(std::unique_ptr<os::FileLock> lock) : lock_(std::move(lock)) {}

 private:
  const std::unique_ptr<os::FileLock> lock_;
};

class RocksFileSystem final : public rocksdb::FileSystem {
 public:
  RocksFileSystem(os::FileSystem& disk, std::shared_ptr<WalFiles> wals,
                  std::shared_ptr<SpaceReserve> reserve)
      : disk_(disk), wals_(std::move(wals)), reserve_(std::move(reserve)) {}

  const char* Name() const override { return "NacreFileSystem"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext*) override {
    const Result<uint64_t> size = size_to_read(path);
    if (!size.ok()) return io_status_of(size.error());
    Result<std::unique_ptr<os::File>> file = disk_.open(path, os::OpenMode::kRead);
    if (!file.ok()) return io_status_of(file.error());
    *result = std::make_unique<SequentialFile>(file.take(), *size);
    return IOStatus::OK();
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext*) override {
    return open_as<RandomAccessFile>(path, os::OpenMode::kRead, result);
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                           IODebugContext*) override {
    return open_as<RandomRwFile>(path, os::OpenMode::kReadWrite, result);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext*) override {
    if (WalFiles::is_wal(path)) {
      Result<std::unique_ptr<rocksdb::FSWritableFile>> wal = wals_->create(path, options);
      if (!wal.ok()) return io_status_of(wal.error());
      *result = wal.take();
      return IOStatus::OK();
    }
    Result<std::unique_ptr<os::File>> file = disk_.open(path, os::OpenMode::kCreate);
    if (!file.ok()) return io_status_of(file.error());
    if (const Status emptied = (*file)->truncate(0); !emptied.ok()) return io_status_of(emptied);
    if (is_manifest(path)) {
      Result<std::unique_ptr<MarkFile>> mark = MarkFile::create(disk_, path);
      if (!mark.ok()) return io_status_of(mark.error());
      *result = std::make_unique<ManifestFile>(file.take(), mark.take(), options, reserve_);
    } else {
      *result = std::make_unique<WritableFile>(file.take(), 0, options, reserve_);
    }
    return IOStatus::OK();
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext*) override {
    Result<std::unique_ptr<os::File>> file = disk_.open(path, os::OpenMode::kCreate);
    if (!file.ok()) return io_status_of(file.error());
    const Result<uint64_t> size = (*file)->size();
    if (!size.ok()) return io_status_of(size.error());
    *result = std::make_unique<WritableFile>(file.take(), *size, options, reserve_);
    return IOStatus::OK();
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) override {
    *result = std::make_unique<Directory>(disk_, path);
    return IOStatus::OK();
  }

  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    const Result<os::PathKind> kind = disk_.kind(path);
    if (!kind.ok()) return io_status_of(kind.error());
    return *kind == os::PathKind::kMissing ? IOStatus::NotFound(path) : IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is_directory,
                       IODebugContext*) override {
    const Result<os::PathKind> kind = disk_.kind(path);
    if (!kind.ok()) return io_status_of(kind.error());
    *is_directory = *kind == os::PathKind::kDirectory;
    return IOStatus::OK();
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* names,
                       IODebugContext*) override {
    Result<std::vector<std::string>> found = disk_.list(path);
    if (!found.ok()) return io_status_of(found.error());
    *names = found.take();
    return IOStatus::OK();
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* bytes,
                       IODebugContext*) override {
    const Result<std::unique_ptr<os::File>> file = disk_.open(path, os::OpenMode::kRead);
    if (!file.ok()) return io_status_of(file.error());
    const Result<uint64_t> size = (*file)->size();
    if (!size.ok()) return io_status_of(size.error());
    *bytes = *size;
    return IOStatus::OK();
  }
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* time,
                                   IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus GetFreeSpace(const std::string& path, const IOOptions&, uint64_t* bytes,
                        IODebugContext*) override {
    const Result<os::HostSpace> space = disk_.space(path);
    if (!space.ok()) return io_status_of(space.error());
    *bytes = space->free_bytes;
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute,
                           IODebugContext*) override {
    *absolute = path;
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string*, IODebugContext*) override {
    return IOStatus::NotSupported("test directory");
  }

  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    // First, so that a power cut leaves no mark without a file.
    if (is_manifest(path) || WalFiles::is_wal(path)) {
      const Status unmarked = disk_.remove_file(mark_path(path));
      if (!unmarked.ok() && unmarked.code() != Code::kNotFound) return io_status_of(unmarked);
    }
    const Status removed = disk_.remove_file(path);
    if (removed.ok()) wals_->forget(path);
    return io_status_of(removed);
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    return io_status_of(disk_.rename(from, to));
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&,
                    IODebugContext*) override {
    return io_status_of(disk_.link(from, to));
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return io_status_of(disk_.create_directories(path));
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&, IODebugContext*) override {
    return io_status_of(disk_.create_directories(path));
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return io_status_of(disk_.remove_directory(path));
  }
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock,
                    IODebugContext*) override {
    Result<std::unique_ptr<os::FileLock>> held = disk_.lock(path);
    if (!held.ok()) return io_status_of(held.error());
    *lock = new HeldLock(held.take());
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    delete lock;
    return IOStatus::OK();
  }

 private:
  static bool is_manifest(const std::string& path) {
    return path.find("/MANIFEST-") != std::string::npos;
  }
  // What a mark counts, if the file has one. A manifest always has; a log has none until it is
  // finished, and a damaged one after a power cut in between.
  Result<uint64_t> size_to_read(const std::string& path) {
    constexpr uint64_t kWhole = std::numeric_limits<uint64_t>::max();
    const bool manifest = is_manifest(path);
    if (!manifest && !WalFiles::is_wal(path)) return kWhole;
    const Result<Mark> mark = read_mark(disk_, path);
    if (!mark.ok()) {
      if (!manifest && mark.code() == Code::kCorrupt) return kWhole;
      return mark.error();
    }
    TRY(check_marked(disk_, path, *mark));
    return mark->bytes;
  }

  template <class Wrapper, class Interface>
  IOStatus open_as(const std::string& path, os::OpenMode mode, std::unique_ptr<Interface>* result) {
    Result<std::unique_ptr<os::File>> file = disk_.open(path, mode);
    if (!file.ok()) return io_status_of(file.error());
    *result = std::make_unique<Wrapper>(file.take());
    return IOStatus::OK();
  }

  os::FileSystem& disk_;
  const std::shared_ptr<WalFiles> wals_;
  const std::shared_ptr<SpaceReserve> reserve_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_rocks_file_system(os::FileSystem& disk,
                                                            std::shared_ptr<WalFiles> wals,
                                                            std::shared_ptr<SpaceReserve> reserve) {
  return std::make_shared<RocksFileSystem>(disk, std::move(wals), std::move(reserve));
}

}  // namespace nacre::kv
