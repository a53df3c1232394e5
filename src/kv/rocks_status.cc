#include "kv/rocks_status.h"

namespace nacre::kv {
namespace {

Code code_of(const rocksdb::Status& status) {
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) return Code::kNoSpace;
  // The store names only files that it made: one that is gone is damage.
  if (status.IsPathNotFound() || status.IsNotFound()) return Code::kCorrupt;
  switch (status.code()) {
    case rocksdb::Status::kCorruption:
      return Code::kCorrupt;
    case rocksdb::Status::kBusy:
    case rocksdb::Status::kTryAgain:
    case rocksdb::Status::kTimedOut:
      return Code::kBusy;
    case rocksdb::Status::kInvalidArgument:
      return Code::kInvalid;
    case rocksdb::Status::kNotSupported:
      return Code::kUnsupported;
    default:
      return Code::kIo;
  }
}

}  // namespace

Error error_of(const rocksdb::Status& status, std::string_view what) {
  return Error(code_of(status), std::string(what) + ": " + status.ToString());
}

rocksdb::IOStatus io_status_of(const Error& error) {
  switch (error.code()) {
    case Code::kNotFound:
      return rocksdb::IOStatus::PathNotFound(error.context());
    case Code::kNoSpace:
      return rocksdb::IOStatus::NoSpace(error.context());
    case Code::kBusy:
      return rocksdb::IOStatus::Busy(error.context());
    case Code::kCorrupt:
      return rocksdb::IOStatus::Corruption(error.context());
    case Code::kUnsupported:
      return rocksdb::IOStatus::NotSupported(error.context());
    default:
      return rocksdb::IOStatus::IOError(error.context());
  }
}

}  // namespace nacre::kv
