#include "kv/rocks_database.h"

#include <rocksdb/convenience.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/listener.h>

#include "kv/rocks_file_system.h"
#include "kv/rocks_messages.h"
#include "kv/rocks_status.h"

namespace nacre::kv {
namespace {

// RocksDB clears a failed compaction when there is space again. From a failed flush it would
// resume, too, and may wait for ever (rocks_reserve.h); such a store must be opened again.
class NoResume final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status error,
                            bool* automatic) override {
    if (error.severity() > rocksdb::Status::kSoftError) *automatic = false;
  }
};

}  // namespace

RocksDatabase::RocksDatabase(os::FileSystem& disk, std::string path, const RocksOptions& options)
    : disk_(disk),
      path_(std::move(path)),
      name_("store " + path_),
      read_only_(options.read_only),
      memory_(options.memory_bytes) {}

Result<std::unique_ptr<RocksDatabase>> RocksDatabase::open(os::FileSystem& disk,
                                                           const std::string& path,
                                                           const RocksOptions& options) {
  std::unique_ptr<RocksDatabase> database(new RocksDatabase(disk, path, options));
  const bool create = options.create && !options.read_only;
  // RocksDB makes this file when it has made a store, and would make a new store without it.
  if (TRY(disk.kind(path + "/CURRENT")) == os::PathKind::kMissing) {
    TRY(database->check_empty());
    if (!create) return Error(Code::kNotFound, "no store at " + path);
    TRY(disk.create_directories(path));
    const size_t slash = path.find_last_of('/');
    if (slash != std::string::npos && slash > 0) TRY(disk.sync_directory(path.substr(0, slash)));
  }
  TRY(without_exceptions(database->name_, [&] { return database->open_database(create); }));
  return database;
}

// Logs and tables come after the store is made.
Status RocksDatabase::check_empty() {
  if (TRY(disk_.kind(path_)) == os::PathKind::kMissing) return {};
  const std::vector<std::string> names = TRY(disk_.list(path_));
  for (const std::string& name : names) {
    if (name.ends_with(".log") || name.ends_with(".sst")) {
      return Error(Code::kCorrupt, name_ + " has lost its file CURRENT");
    }
  }
  return {};
}

Status RocksDatabase::open_database(bool create) {
  if (!read_only_) {
    reserve_ = TRY(SpaceReserve::open(disk_, path_ + "/RESERVE", memory_.reserve_bytes()));
  }
  wals_ = std::make_shared<WalFiles>(disk_, reserve_);
  environment_ = rocksdb::NewCompositeEnv(make_rocks_file_system(disk_, wals_, reserve_));

  rocksdb::DBOptions options = database_options(memory_);
  options.env = environment_.get();
  options.wal_filter = &wal_order_;
  options.listeners.push_back(std::make_shared<NoResume>());
  options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  options.create_if_missing = create;
  options.create_missing_column_families = create;  // the power may have gone while it was made
  options.info_log = read_only_ ? make_silent_log() : make_message_log(disk_, path_ + "/LOG");

  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName,
                           family_options(Family::kVolume, memory_));
  for (size_t i = 0; i < kFamilyCount; ++i) {
    const auto family = static_cast<Family>(i);
    descriptors.emplace_back(name_of(family), family_options(family, memory_));
  }

  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      read_only_ ? rocksdb::DB::OpenForReadOnly(options, path_, descriptors, &handles, &db)
                 : rocksdb::DB::Open(options, path_, descriptors, &handles, &db);
  if (!opened.ok()) return error_of(opened, "open " + name_);
  db_.reset(db);
  default_family_ = handles[0];
  std::copy(handles.begin() + 1, handles.end(), families_.begin());
  // On a full disk the store opens all the same; write() will say so.
  if (reserve_) static_cast<void>(reserve_->take());
  return {};
}

RocksDatabase::~RocksDatabase() {
  if (!db_) return;
  const Status closed = without_exceptions(name_, [&]() -> Status {
    if (!read_only_) {
      // Even without a flush everything is in the log. On a full disk a flush would wait for room,
      // and with a stall it would wait for compactions.
      static_cast<void>(wals_->sync());
      rocksdb::FlushOptions at_once;
      at_once.allow_write_stall = true;
      const std::vector<rocksdb::ColumnFamilyHandle*> all(families_.begin(), families_.end());
      if (reserve_->take().ok()) db_->Flush(at_once, all).PermitUncheckedError();
    }
    for (rocksdb::ColumnFamilyHandle* handle : families_) {
      db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    }
    db_->DestroyColumnFamilyHandle(default_family_).PermitUncheckedError();
    db_->Close().PermitUncheckedError();
    return {};
  });
  static_cast<void>(closed);  // nobody is left to tell
}

Status RocksDatabase::sync() {
  // Not DB::SyncWAL(), which aborts the process when it meets a log with a failed write.
  return wals_->sync();
}

Status RocksDatabase::write(rocksdb::WriteBatch& batch, bool synced) {
  if (read_only_) return Error(Code::kReadOnly, name_ + " is open for reading only");
  TRY(reserve_->take());
  rocksdb::WriteOptions options;
  options.sync = synced;
  const rocksdb::Status written = db_->Write(options, &batch);
  if (written.ok()) return {};
  // RocksDB waits for a compaction that has found the disk full and will try again.
  if (written.IsIncomplete()) {
    return Error(Code::kNoSpace, "write " + name_ + ": " + written.ToString());
  }
  return error_of(written, "write " + name_);
}

Usage RocksDatabase::usage() {
  Usage usage;
  usage.disk_bytes = wals_->bytes() + (reserve_ ? reserve_->bytes() : 0);
  // The cache is charged for the write buffers.
  usage.memory_bytes = memory_.cache->GetUsage();
  for (rocksdb::ColumnFamilyHandle* handle : families_) {
    uint64_t bytes = 0;
    if (db_->GetIntProperty(handle, rocksdb::DB::Properties::kTotalSstFilesSize, &bytes)) {
      usage.disk_bytes += bytes;
    }
    if (db_->GetIntProperty(handle, rocksdb::DB::Properties::kEstimateTableReadersMem, &bytes)) {
      usage.memory_bytes += bytes;
    }
  }
  return usage;
}

}  // namespace nacre::kv
