// How RocksDB is set up for each family, and why. Private to the rocks_* sources.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/options.h>
#include <rocksdb/write_buffer_manager.h>

#include <memory>
#include <string>

#include "kv/store.h"

namespace nacre::kv {

// One budget for the whole store: the write buffers are charged to the cache and so push blocks
// out of it while they grow.
struct RocksMemory {
  explicit RocksMemory(uint64_t budget_bytes);
  // Disk space that the write buffers need to become tables, however full they are.
  uint64_t reserve_bytes() const;

  uint64_t bytes;
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};

// The name of the family's column family.
std::string name_of(Family family);

// Without environment, logs and listeners, which belong to one store.
rocksdb::DBOptions database_options(const RocksMemory& memory);
rocksdb::ColumnFamilyOptions family_options(Family family, const RocksMemory& memory);

}  // namespace nacre::kv
