// What RocksDB has to say. Private to the rocks_* sources.
//
// RocksDB's own message log writes through the code that writes tables, which aborts the process
// when it is used again after a failed write, as a library built with assertions does.
#pragma once

#include <rocksdb/env.h>

#include <memory>
#include <string>

#include "os/file_system.h"

namespace nacre::kv {

// Appends warnings and errors to the file `path`, which starts afresh when it is full. A message
// that cannot be written is dropped.
std::shared_ptr<rocksdb::Logger> make_message_log(os::FileSystem& disk, const std::string& path);

// Drops every message.
std::shared_ptr<rocksdb::Logger> make_silent_log();

}  // namespace nacre::kv
