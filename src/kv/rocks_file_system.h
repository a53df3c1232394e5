// RocksDB's view of an os::FileSystem, so that the store runs on a simulated disk as on a real one.
// Safe from any thread. Private to the rocks_* sources.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>

#include "kv/rocks_reserve.h"
#include "kv/rocks_wal.h"
#include "os/file_system.h"

namespace nacre::kv {

// Everything RocksDB needs to run a database: no memory maps, no direct I/O, no counting of links.
// Files have no modification time: it reads as 0. Write-ahead logs are made by `wals`. `reserve`
// may be null. `disk` must outlive what is returned.
std::shared_ptr<rocksdb::FileSystem> make_rocks_file_system(os::FileSystem& disk,
                                                            std::shared_ptr<WalFiles> wals,
                                                            std::shared_ptr<SpaceReserve> reserve);

}  // namespace nacre::kv
