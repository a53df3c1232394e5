#include "wire/segment_layout.h"

#include <string_view>

#include "codec/checksum.h"
#include "wire/cursor.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kSegmentMagic = "NSeg";
constexpr std::string_view kRecordMagic = "NRec";
constexpr uint8_t kVersion = 1;
constexpr uint8_t kXxh64PerPage = 1;
constexpr size_t kSummedBytes = kSectorBytes - sizeof(uint64_t);
constexpr size_t kRecordSummedBytes = kRecordHeadFixedBytes - sizeof(uint64_t);

uint64_t divide_up(uint64_t value, uint64_t by) { return (value + by - 1) / by; }

bool begins_with(ByteView bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && as_text(bytes.first(magic.size())) == magic;
}

Status check_version(uint8_t version, const char* what) {
  if (version <= kVersion) return {};
  return Error(Code::kNewerFormat, std::string(what) + " of format " + std::to_string(version) +
                                       ": written by a later version of Nacre; use that one");
}

// Of the fixed part without its own checksum, and of what follows it in the head.
uint64_t head_checksum(ByteView fixed, ByteView rest, uint64_t seed) {
  codec::Xxh64Stream sum(seed);
  sum.update(fixed.first(kRecordSummedBytes));
  sum.update(rest);
  return sum.digest();
}

bool is_possible(const RecordHead& head) {
  const uint32_t head_bytes =
      record_head_bytes(static_cast<uint32_t>(head.descriptor.size()), head.stored_bytes);
  if (head.kind != RecordKind::kFragment && head.kind != RecordKind::kTombstones) return false;
  if (head.page == 0 || head.payload_offset < head_bytes ||
      head.payload_offset > round_up(head_bytes, kDevicePageBytes)) {
    return false;
  }
  const uint64_t end = uint64_t{head.payload_offset} + head.stored_bytes;
  return head.pages > 0 && divide_up(end, kDevicePageBytes) == head.pages;
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  std::string page;
  page.reserve(kDevicePageBytes);
  Writer out(page);
  out.raw(as_bytes(kSegmentMagic));
  out.u8(kVersion);
  out.u8(static_cast<uint8_t>(header.state));
  out.zeros(2);
  out.id(header.device);
  out.u32(header.segment);
  out.zeros(4);
  out.u64(header.generation);
  out.zeros(kSummedBytes - out.size());
  out.u64(codec::xxh64(as_bytes(page), checksum_seed(header.device)));
  out.zeros(kDevicePageBytes - out.size());
  return page;
}

Result<SegmentHeader> decode_segment_header(ByteView page, DeviceId device) {
  if (page.size() != kDevicePageBytes || !begins_with(page, kSegmentMagic)) {
    return Error(Code::kCorrupt, "no segment header");
  }
  if (Reader(page.subspan(kSummedBytes)).u64() !=
      codec::xxh64(page.first(kSummedBytes), checksum_seed(device))) {
    return Error(Code::kCorrupt, "segment header fails its checksum");
  }
  Reader in(page.first(kSummedBytes));
  in.skip(kSegmentMagic.size());
  TRY(check_version(in.u8(), "segment header"));
  SegmentHeader header;
  header.state = static_cast<SegmentState>(in.u8());
  in.skip(2);
  header.device = in.id<DeviceId>();
  header.segment = in.u32();
  in.skip(4);
  header.generation = in.u64();
  in.rest();
  TRY(in.finish("segment header"));
  if (header.device != device ||
      (header.state != SegmentState::kUsed && header.state != SegmentState::kFree)) {
    return Error(Code::kCorrupt, "segment header is of another device or in no known state");
  }
  return header;
}

uint32_t record_head_bytes(uint32_t descriptor_bytes, uint32_t stored_bytes) {
  const uint64_t checksums = divide_up(stored_bytes, kChecksumPageBytes) * sizeof(uint64_t);
  return static_cast<uint32_t>(kRecordHeadFixedBytes + descriptor_bytes + checksums);
}

void lay_out(RecordHead& head) {
  const uint32_t head_bytes =
      record_head_bytes(static_cast<uint32_t>(head.descriptor.size()), head.stored_bytes);
  const bool one_page = uint64_t{head_bytes} + head.stored_bytes <= kDevicePageBytes;
  head.payload_offset =
      one_page ? head_bytes : static_cast<uint32_t>(round_up(head_bytes, kDevicePageBytes));
  head.pages = static_cast<uint32_t>(
      divide_up(uint64_t{head.payload_offset} + head.stored_bytes, kDevicePageBytes));
}

std::string encode_record_head(const RecordHead& head, uint64_t seed) {
  std::string bytes;
  bytes.reserve(head.payload_offset);
  Writer out(bytes);
  out.raw(as_bytes(kRecordMagic));
  out.u8(kVersion);
  out.u8(static_cast<uint8_t>(head.kind));
  out.u8(kXxh64PerPage);
  out.u8(head.compression);
  out.u8(head.sealing);
  out.u8(0);
  out.u16(head.fragment);
  out.u32(head.page);
  out.id(head.id);
  out.u64(head.generation);
  out.u64(head.sequence);
  out.u64(head.birth);
  out.u32(head.pages);
  out.u32(head.synced_pages);
  out.u32(head.logical_bytes);
  out.u32(head.stored_bytes);
  out.u32(head.payload_offset);
  out.u32(static_cast<uint32_t>(head.descriptor.size()));
  out.zeros(kRecordHeadFixedBytes - out.size());
  out.raw(as_bytes(head.descriptor));
  for (const uint64_t checksum : head.page_checksums) out.u64(checksum);

  const ByteView all = as_bytes(bytes);
  std::string checksum;
  Writer(checksum).u64(head_checksum(all, all.subspan(kRecordHeadFixedBytes), seed));
  bytes.replace(kRecordSummedBytes, checksum.size(), checksum);
  out.zeros(head.payload_offset - out.size());
  return bytes;
}

Result<uint32_t> peek_record_head(ByteView fixed) {
  if (fixed.size() < kRecordHeadFixedBytes || !begins_with(fixed, kRecordMagic)) {
    return Error(Code::kCorrupt, "no record");
  }
  Reader in(fixed.subspan(68, 12));  // the three lengths that follow logical_bytes
  const uint32_t stored_bytes = in.u32();
  in.skip(4);
  const uint32_t descriptor_bytes = in.u32();
  if (stored_bytes > kMaxStoredBytes || descriptor_bytes > kMaxDescriptorBytes) {
    return Error(Code::kCorrupt, "record of impossible length");
  }
  return record_head_bytes(descriptor_bytes, stored_bytes);
}

Result<RecordHead> decode_record_head(ByteView bytes, uint64_t seed) {
  const uint32_t head_bytes = TRY(peek_record_head(bytes));
  if (bytes.size() < head_bytes) return Error(Code::kCorrupt, "record header is cut off");
  const ByteView fixed = bytes.first(kRecordHeadFixedBytes);
  const ByteView rest = bytes.first(head_bytes).subspan(kRecordHeadFixedBytes);
  if (Reader(fixed.subspan(kRecordSummedBytes)).u64() != head_checksum(fixed, rest, seed)) {
    return Error(Code::kCorrupt, "record header fails its checksum");
  }
  Reader in(bytes.first(head_bytes));
  in.skip(kRecordMagic.size());
  TRY(check_version(in.u8(), "record"));
  RecordHead head;
  head.kind = static_cast<RecordKind>(in.u8());
  const uint8_t checksum_kind = in.u8();
  head.compression = in.u8();
  head.sealing = in.u8();
  in.skip(1);
  head.fragment = in.u16();
  head.page = in.u32();
  head.id = in.id<BlockId>();
  head.generation = in.u64();
  head.sequence = in.u64();
  head.birth = in.u64();
  head.pages = in.u32();
  head.synced_pages = in.u32();
  head.logical_bytes = in.u32();
  head.stored_bytes = in.u32();
  head.payload_offset = in.u32();
  const uint32_t descriptor_bytes = in.u32();
  in.skip(kRecordHeadFixedBytes - 80);
  head.descriptor = as_text(in.raw(descriptor_bytes));
  head.page_checksums.resize(divide_up(head.stored_bytes, kChecksumPageBytes));
  for (uint64_t& checksum : head.page_checksums) checksum = in.u64();
  TRY(in.finish("record header"));
  if (checksum_kind != kXxh64PerPage) {
    return Error(Code::kNewerFormat, "record with an unknown checksum algorithm");
  }
  if (!is_possible(head)) return Error(Code::kCorrupt, "record header is impossible");
  return head;
}

}  // namespace nacre::wire
