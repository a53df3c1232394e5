// The write-ahead logs of one RocksDB store: what RocksDB 7.8 leaves open between its log and the
// disk. Private to the rocks_* sources.
//
// RocksDB reads a stretch of zeros in a log as "nothing here" and goes on behind it, and it reads
// the next log when one ends early. After a power cut either may bring back a later write without
// an earlier one. What survives is the exact beginning of what was written, because
//   1. a log is durable to its end, and has a mark (rocks_mark.h), before the next one exists;
//   2. the first bytes written to a log are durable before the second are written;
//   3. on recovery, WalOrder ends the replay where sequence numbers have a gap. (By 2 it knows the
//      first number of the first log.)
//
// A sync extends the log with zeros, so that the next syncs overwrite blocks that are in place and
// need no journal commit of the host file system: docs/decisions/0002-rows-in-rocksdb.md.
#pragma once

#include <rocksdb/file_system.h>
#include <rocksdb/wal_filter.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "kv/rocks_reserve.h"
#include "os/file_system.h"
#include "os/mutex.h"

namespace nacre::kv {

class WalFile;

// Safe from any thread; RocksDB makes one log at a time.
class WalFiles {
 public:
  // `disk` must outlive the files. `reserve` may be null.
  WalFiles(os::FileSystem& disk, std::shared_ptr<SpaceReserve> reserve)
      : disk_(disk), reserve_(std::move(reserve)) {}

  static bool is_wal(const std::string& path) { return path.ends_with(".log"); }
  // An empty log at `path`, whose name is durable, after the previous one was finished.
  Result<std::unique_ptr<rocksdb::FSWritableFile>> create(const std::string& path,
                                                          const rocksdb::FileOptions& options);
  // On return everything appended before the call survives a power cut. After a failure no log
  // takes more: the host has forgotten what it could not write. Appends may go on meanwhile.
  Status sync();
  // The log was removed.
  void forget(const std::string& path);
  // Bytes in logs made by create() and not removed.
  uint64_t bytes() const;

 private:
  Status finish(WalFile& log) REQUIRES(mutex_);

  os::FileSystem& disk_;
  const std::shared_ptr<SpaceReserve> reserve_;
  mutable os::Mutex mutex_;
  std::map<std::string, std::shared_ptr<WalFile>> files_ GUARDED_BY(mutex_);  // by path
  std::shared_ptr<WalFile> newest_ GUARDED_BY(mutex_);
};

// Checks during recovery that each record follows the one before it.
class WalOrder final : public rocksdb::WalFilter {
 public:
  WalProcessingOption LogRecordFound(unsigned long long log_number, const std::string& path,
                                     const rocksdb::WriteBatch& batch,
                                     rocksdb::WriteBatch* new_batch, bool* batch_changed) override;
  const char* Name() const override { return "NacreWalOrder"; }

 private:
  std::optional<uint64_t> next_sequence_;
};

}  // namespace nacre::kv
