#include "kv/rocks_options.h"

#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>

#include "base/check.h"
#include "base/units.h"

namespace nacre::kv {
namespace {

constexpr int kCacheShardBits = 4;
constexpr double kIndexShareOfCache = 0.5;
constexpr double kFilterBitsPerKey = 10;
constexpr uint64_t kMostBufferedBudgetBytes = 96 * kMiB;

std::shared_ptr<rocksdb::TableFactory> table_factory(const RocksMemory& memory) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
  table.whole_key_filtering = true;
  table.format_version = 5;
  // Indexes and filters count against the budget, too. In partitions of one page they come and go
  // like data: with 10^8 rows they would not fit as a whole.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.pin_top_level_index_and_filter = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = 4 * kKiB;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

// The part of a budget that write buffers are a share of: beyond it, more memory only caches, as
// larger buffers would take longer to write out, and more of the disk for the reserve.
uint64_t buffered_budget(uint64_t budget_bytes) {
  return std::min(budget_bytes, kMostBufferedBudgetBytes);
}

// A commit rewrites live rows most; configuration is a handful of rows.
uint64_t write_buffer_bytes(Family family, uint64_t budget_bytes) {
  budget_bytes = buffered_budget(budget_bytes);
  switch (family) {
    case Family::kLive:
      return budget_bytes / 6;
    case Family::kPast:
    case Family::kChanges:
    case Family::kBlocks:
      return budget_bytes / 12;
    case Family::kVolume:
      return budget_bytes / 48;
  }
  CHECK(false);
}

}  // namespace

RocksMemory::RocksMemory(uint64_t budget_bytes)
    : bytes(budget_bytes),
      cache(rocksdb::NewLRUCache(budget_bytes, kCacheShardBits, false, kIndexShareOfCache)),
      write_buffers(std::make_shared<rocksdb::WriteBufferManager>(
          buffered_budget(budget_bytes) * 5 / 12, cache)) {}

uint64_t RocksMemory::reserve_bytes() const {
  // While one set of buffers is written, half of the next may fill; logs and manifest are small.
  return write_buffers->buffer_size() * 3 / 2 + kMiB;
}

std::string name_of(Family family) {
  switch (family) {
    case Family::kVolume:
      return "volume";
    case Family::kLive:
      return "live";
    case Family::kPast:
      return "past";
    case Family::kChanges:
      return "changes";
    case Family::kBlocks:
      return "blocks";
  }
  CHECK(false);
}

rocksdb::DBOptions database_options(const RocksMemory& memory) {
  rocksdb::DBOptions options;
  options.paranoid_checks = true;
  options.write_buffer_manager = memory.write_buffers;

  // The log. What is synced survives; of the rest, a beginning (rocks_wal.h). RocksDB cannot
  // recycle logs in this mode, and space reserved for them gained nothing.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.recycle_log_file_num = 0;
  options.allow_fallocate = false;
  // Bounds what an open after a power cut has to replay.
  options.max_total_wal_size = 64 * kMiB;
  // Written back as it comes, so that no sync has much to wait for.
  options.wal_bytes_per_sync = kMiB;
  options.bytes_per_sync = kMiB;

  // One thread flushes and one compacts, shared by all stores of the process. At the priority of
  // the rest: they take locks that writers need, and on a busy machine would keep them from those.
  options.max_background_jobs = 2;
  options.max_subcompactions = 1;
  options.compaction_readahead_size = 256 * kKiB;

  // Open quickly, with bounded memory and descriptors.
  options.max_open_files = 512;
  options.skip_stats_update_on_db_open = true;
  options.max_manifest_file_size = 16 * kMiB;
  options.manifest_preallocation_size = 64 * kKiB;

  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions family_options(Family family, const RocksMemory& memory) {
  rocksdb::ColumnFamilyOptions options;
  options.table_factory = table_factory(memory);
  options.write_buffer_size = write_buffer_bytes(family, memory.bytes);
  options.max_write_buffer_number = 3;
  options.max_bytes_for_level_base = 64 * kMiB;
  options.target_file_size_base = 32 * kMiB;
  options.level_compaction_dynamic_level_bytes = true;
  // The first is level 0, rewritten soon; the second is every level below.
  options.compression_per_level = {rocksdb::kNoCompression, rocksdb::kLZ4Compression};
  // A lookup of a name that does not exist need not search the buffer.
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.02;
  // A scan over the remains of a large tree that was removed is slow until they are compacted.
  constexpr size_t kWindowRows = 32'768;
  constexpr size_t kErasedRows = 16'384;
  options.table_properties_collector_factories = {
      rocksdb::NewCompactOnDeletionCollectorFactory(kWindowRows, kErasedRows)};
  return options;
}

}  // namespace nacre::kv
