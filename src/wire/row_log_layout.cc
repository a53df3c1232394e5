#include "wire/row_log_layout.h"

#include <bit>

#include "codec/checksum.h"
#include "wire/cursor.h"
#include "wire/object_frame.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kMagic = "NCRL";
constexpr size_t kBatchFixedBytes = 4 + 8 + 8;  // in front of the changes
constexpr size_t kSumBytes = sizeof(uint64_t);
constexpr uint8_t kErase = 0;
constexpr uint8_t kPut = 1;
// The most that a change has besides its key and value.
constexpr uint64_t kMaxChangeFixedBytes = 2 + 2 * kMaxVarintBytes;

uint64_t most_bytes_of(const RowBatch& batch) {
  uint64_t bytes = kBatchFixedBytes + kSumBytes;
  for (const RowChange& change : batch.changes) {
    bytes += kMaxChangeFixedBytes + change.key.size() + change.value.value_or("").size();
  }
  return bytes;
}

RowChange take_change(Reader& in) {
  RowChange change;
  change.family = in.u8();
  change.key = in.sized_text();
  const uint8_t action = in.u8();
  if (action == kPut) {
    change.value = in.sized_text();
  } else if (action != kErase) {
    in.fail();
  }
  return change;
}

}  // namespace

Status append_batch(const RowBatch& batch, uint64_t seed, std::string& out) {
  if (most_bytes_of(batch) > kMaxBatchBytes) {
    return Error(Code::kTooBig, "a batch of rows has more than 256 MiB");
  }
  const size_t begin = out.size();
  Writer record(out);
  record.u32(0);  // the length, once it is known
  record.u64(batch.number);
  record.u64(std::bit_cast<uint64_t>(batch.time.ns));
  for (const RowChange& change : batch.changes) {
    record.u8(change.family);
    record.sized(change.key);
    record.u8(change.value ? kPut : kErase);
    if (change.value) record.sized(*change.value);
  }
  const auto length = static_cast<uint32_t>(out.size() - begin + kSumBytes);
  std::memcpy(out.data() + begin, &length, sizeof(length));
  record.u64(codec::xxh64(as_bytes(out).subspan(begin), seed));
  return {};
}

Result<uint32_t> peek_batch(ByteView bytes) {
  Reader in(bytes);
  const uint32_t length = in.u32();
  if (!in.ok() || length < kBatchFixedBytes + kSumBytes || length > kMaxBatchBytes) {
    return Error(Code::kCorrupt, "no record of a batch of rows");
  }
  return length;
}

Result<RowBatch> decode_batch(ByteView record, uint64_t seed) {
  const uint32_t length = TRY(peek_batch(record));
  if (length != record.size()) return Error(Code::kCorrupt, "a batch of rows is cut off");
  const ByteView summed = record.first(record.size() - kSumBytes);
  if (Reader(record.last(kSumBytes)).u64() != codec::xxh64(summed, seed)) {
    return Error(Code::kCorrupt, "a batch of rows fails its checksum");
  }
  Reader in(summed);
  in.skip(sizeof(length));
  RowBatch batch;
  batch.number = in.u64();
  batch.time.ns = std::bit_cast<int64_t>(in.u64());
  while (in.remaining() > 0) batch.changes.push_back(take_change(in));
  TRY(in.finish("a batch of rows"));
  return batch;
}

std::string encode_row_log_header(const RowLogHeader& header) {
  std::string bytes;
  begin_frame(bytes, kMagic, /*sealed=*/false);
  Writer out(bytes);
  out.id(header.volume);
  out.u32(header.epoch);
  out.zeros(4);
  out.u64(header.first_number);
  out.u64(std::bit_cast<uint64_t>(header.created.ns));
  out.zeros(kRowLogHeaderBytes - kFrameEndBytes - out.size());
  end_frame(bytes);
  return bytes;
}

Result<RowLogHeader> decode_row_log_header(ByteView bytes) {
  if (bytes.size() != kRowLogHeaderBytes) {
    return Error(Code::kCorrupt, "the header of the row log is cut off");
  }
  const ObjectFrame frame = TRY(open_frame(bytes, kMagic, "the row log"));
  if (frame.sealed) return Error(Code::kNewerFormat, "the row log is sealed");
  Reader in(frame.fields);
  RowLogHeader header;
  header.volume = in.id<VolumeId>();
  header.epoch = in.u32();
  in.skip(4);
  header.first_number = in.u64();
  header.created.ns = std::bit_cast<int64_t>(in.u64());
  in.rest();
  TRY(in.finish("the header of the row log"));
  return header;
}

uint64_t row_log_seed(const RowLogHeader& header) {
  return codec::xxh64(as_bytes(encode_row_log_header(header)));
}

std::optional<RowBatch> RowLogReader::next() {
  const ByteView rest = bytes_.subspan(end_bytes_);
  const Result<uint32_t> length = peek_batch(rest);
  if (!length.ok() || *length > rest.size()) return std::nullopt;
  Result<RowBatch> batch = decode_batch(rest.first(*length), seed_);
  if (!batch.ok() || batch->number != next_number_) return std::nullopt;
  end_bytes_ += *length;
  ++next_number_;
  return batch.take();
}

}  // namespace nacre::wire
