#include "kv/rocks_wal.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "base/units.h"
#include "codec/checksum.h"
#include "kv/rocks_mark.h"
#include "kv/rocks_status.h"

namespace nacre::kv {

namespace {
// Large enough to be rare, small enough not to be felt by the sync that writes them.
constexpr uint64_t kZerosAhead = 256 * kKiB;
}  // namespace

// One log. Outlives the handle that RocksDB writes it through.
class WalFile {
 public:
  WalFile(std::string path, std::unique_ptr<os::File> file, std::shared_ptr<SpaceReserve> reserve)
      : path_(std::move(path)), file_(std::move(file)), reserve_(std::move(reserve)) {}

  const std::string& path() const { return path_; }

  Status append(ByteView data) EXCLUDES(mutex_) {
    bool first = false;
    {
      const os::Lock lock(mutex_);
      if (failure_) return *failure_;
      const uint64_t at = end_;
      TRY(write_or_make_room(reserve_.get(), [&] { return file_->write_at(at, data); }));
      first = end_ == 0;
      end_ += data.size();
      checksum_.update(data);
    }
    return first ? sync(Zeros::kNone) : Status();
  }

  enum class Zeros { kNone, kAhead };
  // What was appended is durable on return. Appends may go on meanwhile.
  Status sync(Zeros zeros) EXCLUDES(mutex_) {
    uint64_t end = 0;
    {
      const os::Lock lock(mutex_);
      if (failure_) return *failure_;
      if (durable_end_ == end_) return {};
      end = end_;
      if (zeros == Zeros::kAhead) add_zeros();
    }
    const Status synced = file_->sync();
    const os::Lock lock(mutex_);
    if (synced.ok()) {
      durable_end_ = std::max(durable_end_, end);
    } else if (!failure_) {
      failure_ = synced.error();
    }
    return synced;
  }

  void start_writeback(uint64_t offset, uint64_t length) { file_->start_writeback(offset, length); }

  // Gives back the zeros. Nothing is appended afterwards.
  Status close() EXCLUDES(mutex_) {
    const os::Lock lock(mutex_);
    if (zeros_end_ > end_) TRY(file_->truncate(end_));
    zeros_end_ = 0;
    return {};
  }

  Mark mark() const EXCLUDES(mutex_) {
    const os::Lock lock(mutex_);
    return {.bytes = end_, .checksum = checksum_.digest()};
  }
  uint64_t size() const EXCLUDES(mutex_) {
    const os::Lock lock(mutex_);
    return end_;
  }
  uint64_t disk_bytes() const EXCLUDES(mutex_) {
    const os::Lock lock(mutex_);
    return std::max(end_, zeros_end_);
  }

 private:
  // Without room for them a log works as well, only slower.
  void add_zeros() REQUIRES(mutex_) {
    static const std::vector<std::byte> kZeros(kZerosAhead);
    if (end_ <= zeros_end_) return;
    if (file_->write_at(end_, kZeros).ok()) zeros_end_ = end_ + kZerosAhead;
  }

  const std::string path_;
  const std::unique_ptr<os::File> file_;
  const std::shared_ptr<SpaceReserve> reserve_;
  // Guards the ends. Held while writing, so that zeros never land on an append.
  mutable os::Mutex mutex_;
  uint64_t end_ GUARDED_BY(mutex_) = 0;
  codec::Xxh64Stream checksum_ GUARDED_BY(mutex_);  // of what is before the end
  uint64_t durable_end_ GUARDED_BY(mutex_) = 0;
  uint64_t zeros_end_ GUARDED_BY(mutex_) = 0;
  std::optional<Error> failure_ GUARDED_BY(mutex_);  // of a sync
};

namespace {

class WalHandle final : public rocksdb::FSWritableFile {
 public:
  WalHandle(std::shared_ptr<WalFile> file, const rocksdb::FileOptions& options)
      : FSWritableFile(options), file_(std::move(file)) {}

  using FSWritableFile::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions&,
                           rocksdb::IODebugContext*) override {
    return io_status_of(file_->append(as_bytes({data.data(), data.size()})));
  }
  rocksdb::IOStatus Truncate(uint64_t, const rocksdb::IOOptions&,
                             rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NotSupported("a log only grows");
  }
  rocksdb::IOStatus Close(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return io_status_of(file_->close());
  }
  rocksdb::IOStatus Flush(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return io_status_of(file_->sync(WalFile::Zeros::kAhead));
  }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return file_->size();
  }
  rocksdb::IOStatus RangeSync(uint64_t offset, uint64_t length, const rocksdb::IOOptions&,
                              rocksdb::IODebugContext*) override {
    file_->start_writeback(offset, length);
    return rocksdb::IOStatus::OK();
  }

 private:
  const std::shared_ptr<WalFile> file_;
};

// A batch as logged begins with its sequence number, little-endian.
uint64_t sequence_of(const rocksdb::WriteBatch& batch) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t sequence = 0;
  std::memcpy(&sequence, batch.Data().data(), std::min(sizeof sequence, batch.Data().size()));
  return sequence;
}

}  // namespace

Result<std::unique_ptr<rocksdb::FSWritableFile>> WalFiles::create(
    const std::string& path, const rocksdb::FileOptions& options) {
  // Held across I/O: whoever waits for it wants the order of these logs.
  const os::Lock lock(mutex_);
  if (newest_) TRY(finish(*newest_));
  std::unique_ptr<os::File> file = TRY(disk_.open(path, os::OpenMode::kCreate));
  TRY(file->truncate(0));
  TRY(disk_.sync_directory(path.substr(0, path.find_last_of('/'))));
  newest_ = std::make_shared<WalFile>(path, std::move(file), reserve_);
  files_.insert_or_assign(path, newest_);
  return std::unique_ptr<rocksdb::FSWritableFile>(std::make_unique<WalHandle>(newest_, options));
}

Status WalFiles::finish(WalFile& log) {
  TRY(log.sync(WalFile::Zeros::kNone));
  const Result<std::unique_ptr<MarkFile>> mark = MarkFile::create(disk_, log.path());
  Status marked = mark.ok() ? (*mark)->set(log.mark()) : Status(mark.error());
  // On a full disk RocksDB must be able to start a log: it takes that for the end otherwise.
  if (!marked.ok() && marked.code() != Code::kNoSpace) return marked;
  return {};
}

Status WalFiles::sync() {
  std::shared_ptr<WalFile> newest;
  {
    const os::Lock lock(mutex_);
    newest = newest_;
  }
  return newest ? newest->sync(WalFile::Zeros::kAhead) : Status();
}

void WalFiles::forget(const std::string& path) {
  const os::Lock lock(mutex_);
  const auto found = files_.find(path);
  if (found == files_.end()) return;
  if (found->second == newest_) newest_.reset();
  files_.erase(found);
}

uint64_t WalFiles::bytes() const {
  const os::Lock lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& [path, file] : files_) bytes += file->disk_bytes();
  return bytes;
}

rocksdb::WalFilter::WalProcessingOption WalOrder::LogRecordFound(unsigned long long /*log_number*/,
                                                                 const std::string& /*path*/,
                                                                 const rocksdb::WriteBatch& batch,
                                                                 rocksdb::WriteBatch* /*new_batch*/,
                                                                 bool* /*changed*/) {
  const uint64_t sequence = sequence_of(batch);
  // RocksDB ends a replay at damage only: a gap is damage that it did not see.
  if (next_sequence_ && sequence != *next_sequence_) return WalProcessingOption::kCorruptedRecord;
  next_sequence_ = sequence + batch.Count();
  return WalProcessingOption::kContinueProcessing;
}

}  // namespace nacre::kv
