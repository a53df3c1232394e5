// Every decoder of the device format on arbitrary bytes. A checksum stops nearly all of them, so
// what is behind it is tried with the checksum made good: the first byte chooses.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "codec/checksum.h"
#include "wire/segment_layout.h"
#include "wire/unit_table.h"

namespace {

using namespace nacre;
using namespace nacre::wire;

constexpr DeviceId kDevice{1, 2};

void put_u64(std::string& bytes, size_t offset, uint64_t value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

void try_superblock(std::string bytes, bool mend) {
  bytes.resize(kDevicePageBytes);
  if (mend) put_u64(bytes, 504, codec::xxh64(as_bytes(bytes).first(504)));
  const Result<Superblock> superblock = decode_superblock(as_bytes(bytes));
  if (superblock.ok()) (void)encode_superblock(*superblock);
}

void try_segment_header(std::string bytes, bool mend) {
  bytes.resize(kDevicePageBytes);
  if (mend) {
    put_u64(bytes, 504, codec::xxh64(as_bytes(bytes).first(504), checksum_seed(kDevice)));
  }
  (void)decode_segment_header(as_bytes(bytes), kDevice).ok();
}

void try_record(std::string bytes, bool mend) {
  const Result<uint32_t> head_bytes = peek_record_head(as_bytes(bytes));
  if (!head_bytes.ok()) return;
  if (mend) {
    bytes.resize(*head_bytes);
    codec::Xxh64Stream sum(0);
    sum.update(as_bytes(bytes).first(88));
    sum.update(as_bytes(bytes).subspan(kRecordHeadFixedBytes));
    put_u64(bytes, 88, sum.digest());
  }
  const Result<RecordHead> head = decode_record_head(as_bytes(bytes), 0);
  if (head.ok()) (void)encode_record_head(*head, 0);
}

void try_summary(std::string bytes, bool mend) {
  bytes.resize(round_up(bytes.size() + 1, kDevicePageBytes));
  const size_t lists_bytes = bytes.size() - kSummaryFooterBytes;
  if (mend) {
    put_u64(bytes, bytes.size() - 16, codec::xxh64(as_bytes(bytes).first(lists_bytes)));
    put_u64(bytes, bytes.size() - 8, codec::xxh64(as_bytes(bytes).subspan(lists_bytes, 56)));
  }
  const Result<Summary> summary = decode_summary(as_bytes(bytes), 64, 0);
  if (summary.ok()) (void)encode_summary(*summary, 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const bool mend = (data[0] & 1) != 0;
  switch (data[0] >> 1 & 7) {
    case 0:
      try_superblock(bytes, mend);
      break;
    case 1:
      try_segment_header(bytes, mend);
      break;
    case 2:
      try_record(bytes, mend);
      break;
    case 3:
      try_summary(bytes, mend);
      break;
    case 4:
      (void)decode_unit_table(as_bytes(bytes), static_cast<uint32_t>(size * 16384), 100000).ok();
      break;
    default:
      (void)decode_tombstones(as_bytes(bytes)).ok();
  }
  return 0;
}
