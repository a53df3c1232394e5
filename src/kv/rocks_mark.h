// What a file must hold, kept beside it in "<path>.mark". Private to the rocks_* sources.
//
// RocksDB takes a record of its manifest or log whose length is wrong for one torn by a power cut,
// and everything behind it for not written: one rotten byte there empties the store. With a mark
// the difference is plain: what the mark counts is durable and has a checksum, the rest never was
// there.
//
// A mark is 32 bytes, integers little-endian: the text "NACREMRK", the count of bytes, their XXH64,
// the XXH64 of these 24 bytes. It lies in one sector, so a power cut leaves the old one or the new.
#pragma once

#include <memory>
#include <string>

#include "os/file_system.h"

namespace nacre::kv {

struct Mark {
  uint64_t bytes = 0;     // from the beginning of the file
  uint64_t checksum = 0;  // XXH64 of these bytes
};

std::string mark_path(const std::string& path);

std::string encode(const Mark& mark);
// kCorrupt if these are not the bytes of a mark; `path` names it.
Result<Mark> decode_mark(ByteView bytes, const std::string& path);

// The mark of one file that is being written. One thread at a time.
class MarkFile {
 public:
  // `path` is that of the file marked.
  static Result<std::unique_ptr<MarkFile>> create(os::FileSystem& disk, const std::string& path);
  // Durable on return. The bytes that it counts must be already.
  Status set(const Mark& mark);

 private:
  explicit MarkFile(std::unique_ptr<os::File> file) : file_(std::move(file)) {}
  const std::unique_ptr<os::File> file_;
};

// The mark of the file at `path`. kCorrupt if it is missing, damaged, or was never set.
Result<Mark> read_mark(os::FileSystem& disk, const std::string& path);

// kCorrupt if the file at `path` does not hold what the mark says.
Status check_marked(os::FileSystem& disk, const std::string& path, const Mark& mark);

}  // namespace nacre::kv
