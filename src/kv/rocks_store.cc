#include "kv/rocks_store.h"

#include <rocksdb/write_batch.h>

#include "kv/rocks_database.h"
#include "kv/rocks_iterator.h"
#include "kv/rocks_status.h"

namespace nacre::kv {
namespace {

// Beside key and value: RocksDB's header of a batch, and for each row its kind, family and lengths.
constexpr size_t kBatchOverheadBytes = 12;
constexpr size_t kRowOverheadBytes = 8;

rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }

class RocksSnapshot final : public Snapshot {
 public:
  explicit RocksSnapshot(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
  ~RocksSnapshot() override { db_.ReleaseSnapshot(snapshot_); }
  const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* const snapshot_;
};

const rocksdb::Snapshot* rocks_snapshot(const Snapshot* at) {
  return at ? static_cast<const RocksSnapshot*>(at)->get() : nullptr;
}

}  // namespace

RocksStore::RocksStore(std::unique_ptr<RocksDatabase> database) : database_(std::move(database)) {}
RocksStore::~RocksStore() = default;

Result<std::unique_ptr<RocksStore>> RocksStore::open(os::FileSystem& disk, const std::string& path,
                                                     const RocksOptions& options) {
  std::unique_ptr<RocksDatabase> database = TRY(RocksDatabase::open(disk, path, options));
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(database)));
}

Result<std::optional<std::string>> RocksStore::get(Family family, std::string_view key,
                                                   const Snapshot* at) {
  return without_exceptions(database_->name(), [&]() -> Result<std::optional<std::string>> {
    rocksdb::ReadOptions options;
    options.snapshot = rocks_snapshot(at);
    std::string value;
    const rocksdb::Status found =
        database_->db().Get(options, database_->family(family), slice_of(key), &value);
    if (found.ok()) return std::optional(std::move(value));
    if (found.IsNotFound()) return std::optional<std::string>();
    return error_of(found, database_->name(family));
  });
}

std::unique_ptr<Iterator> RocksStore::iterate(Family family, Range range, const Snapshot* at) {
  return make_rocks_iterator(database_->db(), database_->family(family), std::move(range),
                             rocks_snapshot(at), database_->name(family));
}

std::unique_ptr<Snapshot> RocksStore::snapshot() {
  return std::make_unique<RocksSnapshot>(database_->db());
}

Status RocksStore::write(const Batch& batch, Durability durability) {
  return without_exceptions(database_->name(), [&]() -> Status {
    rocksdb::WriteBatch rows(kBatchOverheadBytes + batch.bytes() +
                             batch.changes().size() * kRowOverheadBytes);
    for (const Batch::Change& change : batch.changes()) {
      rocksdb::ColumnFamilyHandle* family = database_->family(change.family);
      const rocksdb::Status added = change.value ? rows.Put(family, change.key, *change.value)
                                                 : rows.Delete(family, change.key);
      if (!added.ok()) return error_of(added, database_->name(change.family));
    }
    return database_->write(rows, durability == Durability::kSynced);
  });
}

Status RocksStore::sync() { return database_->sync(); }

Result<Usage> RocksStore::usage() {
  return without_exceptions(database_->name(),
                            [&]() -> Result<Usage> { return database_->usage(); });
}

Status RocksStore::compact(Family family, Range range) {
  return without_exceptions(database_->name(), [&]() -> Status {
    const rocksdb::Slice lower(range.lower);
    const rocksdb::Slice upper(range.upper);
    rocksdb::CompactRangeOptions options;
    options.exclusive_manual_compaction = false;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    const rocksdb::Status compacted = database_->db().CompactRange(
        options, database_->family(family), lower.empty() ? nullptr : &lower,
        upper.empty() ? nullptr : &upper);
    return compacted.ok() ? Status() : error_of(compacted, "compact " + database_->name(family));
  });
}

Status RocksStore::verify(std::vector<std::string>& corrupt) {
  return without_exceptions(database_->name(), [&] { return database_->verify(corrupt); });
}

}  // namespace nacre::kv
