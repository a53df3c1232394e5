// The row log: a local file to which every batch of rows is appended, under a number that rises by
// one, until it has gone to the bucket. The bytes are described in docs/format/bucket.md; this is
// the only place that writes or reads them. Pure; a reader is for one thread at a time.
//
// The file is not synced, so after a power cut it may end anywhere, or in bytes that the disk held
// before: each record has a checksum whose seed is the header's, and a reader ends before the first
// one that is not good.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"
#include "wire/device_layout.h"

namespace nacre::wire {

inline constexpr size_t kRowLogHeaderBytes = 64;
inline constexpr uint32_t kMaxBatchBytes = 256u << 20;

struct RowChange {
  uint8_t family = 0;
  std::string_view key = {};
  std::optional<std::string_view> value = {};  // none: erase
  friend bool operator==(const RowChange&, const RowChange&) = default;
};

// Rows written together. The changes point into what they were decoded from.
struct RowBatch {
  uint64_t number = 0;
  Timestamp time = {};
  std::vector<RowChange> changes = {};
  friend bool operator==(const RowBatch&, const RowBatch&) = default;
};

// Appends a record. kTooBig, and nothing appended, when it would have more than kMaxBatchBytes.
Status append_batch(const RowBatch& batch, uint64_t seed, std::string& out);
// How many bytes the record has that begins there: the first four say. kCorrupt when there are
// fewer, or it can be no record.
Result<uint32_t> peek_batch(ByteView bytes);
// From all bytes of a record.
Result<RowBatch> decode_batch(ByteView record, uint64_t seed);

struct RowLogHeader {
  VolumeId volume = {};
  uint32_t epoch = 0;
  uint64_t first_number = 0;  // of the first record
  Timestamp created = {};
  friend bool operator==(const RowLogHeader&, const RowLogHeader&) = default;
};

// kRowLogHeaderBytes.
std::string encode_row_log_header(const RowLogHeader& header);
Result<RowLogHeader> decode_row_log_header(ByteView bytes);
// The seed of the records of that file.
uint64_t row_log_seed(const RowLogHeader& header);

// Goes through the records of a file, or of a part of it that begins with a record.
class RowLogReader {
 public:
  // `bytes` outlives the reader and what it gives. The first record has the number `next_number`.
  RowLogReader(ByteView bytes, uint64_t next_number, uint64_t seed)
      : bytes_(bytes), next_number_(next_number), seed_(seed) {}

  // The next batch, or nothing where no whole and good record with the next number follows.
  std::optional<RowBatch> next();
  // Where the last given record ends in the bytes. When next() gave nothing: what follows is a torn
  // tail, unless it was cut off by who reads the file in parts; then peek_batch() tells how many
  // bytes are needed from here on.
  size_t end_bytes() const { return end_bytes_; }
  uint64_t next_number() const { return next_number_; }

 private:
  ByteView bytes_;
  uint64_t next_number_;
  uint64_t seed_;
  size_t end_bytes_ = 0;
};

}  // namespace nacre::wire
