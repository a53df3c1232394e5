// An Iterator over RocksDB's. Private to the rocks_* sources.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>

#include "kv/store.h"

namespace nacre::kv {

// Reads as of `snapshot`, or of now if there is none. `what` names store and family in errors.
std::unique_ptr<Iterator> make_rocks_iterator(rocksdb::DB& database,
                                              rocksdb::ColumnFamilyHandle* family, Range range,
                                              const rocksdb::Snapshot* snapshot, std::string what);

}  // namespace nacre::kv
