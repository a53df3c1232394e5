// Between RocksDB's statuses and our errors, both ways. Private to the rocks_* sources.
#pragma once

#include <rocksdb/io_status.h>
#include <rocksdb/status.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace nacre::kv {

// The error for a failed call; the status must not be ok. `what` names the store, and the family
// where there is one; RocksDB's text, which names the file, follows it.
Error error_of(const rocksdb::Status& status, std::string_view what);

// For RocksDB, which acts on a missing path, a full disk and a lock that is held.
rocksdb::IOStatus io_status_of(const Error& error);
inline rocksdb::IOStatus io_status_of(const Status& status) {
  return status.ok() ? rocksdb::IOStatus::OK() : io_status_of(status.error());
}

// Runs `body`, which calls RocksDB and returns a Result. RocksDB and the library below it throw
// when memory runs out, and for little else.
template <class Body>
auto without_exceptions(std::string_view what, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::exception& thrown) {
    return Error(Code::kIo, std::string(what) + ": " + thrown.what());
  }
}

}  // namespace nacre::kv
