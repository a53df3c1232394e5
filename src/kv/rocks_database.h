// An open RocksDB database and all it hangs on, in the order in which it may go. Private to the
// rocks_* sources.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <array>
#include <memory>
#include <string>

#include "kv/rocks_options.h"
#include "kv/rocks_store.h"
#include "kv/rocks_wal.h"
#include "os/file_system.h"

namespace nacre::kv {

class RocksDatabase {
 public:
  static Result<std::unique_ptr<RocksDatabase>> open(os::FileSystem& disk, const std::string& path,
                                                     const RocksOptions& options);
  ~RocksDatabase();

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Family family) {
    return families_[static_cast<size_t>(family)];
  }
  const std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount>& families() const {
    return families_;
  }
  bool read_only() const { return read_only_; }

  // What errors are about: the store, with its path and perhaps a family.
  const std::string& name() const { return name_; }
  std::string name(Family family) const { return name_ + ", family " + name_of(family); }

  // All of the batch or nothing, as Store::write().
  Status write(rocksdb::WriteBatch& batch, bool synced);
  Status sync();

  Usage usage();
  // The tables whose bytes are not those that were written, a line for each.
  Status verify(std::vector<std::string>& corrupt);

 private:
  RocksDatabase(os::FileSystem& disk, std::string path, const RocksOptions& options);
  Status check_empty();
  Status open_database(bool create);

  os::FileSystem& disk_;
  const std::string path_;
  const std::string name_;
  const bool read_only_;
  RocksMemory memory_;
  std::shared_ptr<SpaceReserve> reserve_;  // none when reading only
  std::shared_ptr<WalFiles> wals_;
  std::unique_ptr<rocksdb::Env> environment_;
  WalOrder wal_order_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount> families_{};
  rocksdb::ColumnFamilyHandle* default_family_ = nullptr;  // RocksDB insists on it; empty
};

}  // namespace nacre::kv
