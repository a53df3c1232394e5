// Tombstones and segment summaries, of wire/segment_layout.h.
#include <string_view>

#include "codec/checksum.h"
#include "wire/cursor.h"
#include "wire/segment_layout.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kMagic = "NSum";
constexpr uint8_t kVersion = 1;
constexpr uint8_t kAppendable = 1;
constexpr uint32_t kSummaryRecordBytes = 48;
constexpr size_t kSummedBytes = kSummaryFooterBytes - sizeof(uint64_t);

void write(Writer& out, const Tombstone& tombstone) {
  out.id(tombstone.id);
  out.u64(tombstone.birth);
  out.u64(tombstone.generation);
  out.u32(tombstone.segment);
  out.u16(tombstone.fragment);
  out.zeros(2);
}

Tombstone read_tombstone(Reader& in) {
  Tombstone tombstone;
  tombstone.id = in.id<BlockId>();
  tombstone.birth = in.u64();
  tombstone.generation = in.u64();
  tombstone.segment = in.u32();
  tombstone.fragment = in.u16();
  in.skip(2);
  return tombstone;
}

void write(Writer& out, const SummaryRecord& record) {
  out.id(record.id);
  out.u64(record.birth);
  out.u32(record.page);
  out.u32(record.pages);
  out.u32(record.stored_bytes);
  out.u32(record.logical_bytes);
  out.u16(record.fragment);
  out.u8(static_cast<uint8_t>(record.kind));
  out.zeros(5);
}

SummaryRecord read_record(Reader& in) {
  SummaryRecord record;
  record.id = in.id<BlockId>();
  record.birth = in.u64();
  record.page = in.u32();
  record.pages = in.u32();
  record.stored_bytes = in.u32();
  record.logical_bytes = in.u32();
  record.fragment = in.u16();
  record.kind = static_cast<RecordKind>(in.u8());
  in.skip(5);
  return record;
}

struct Footer {
  Summary summary;  // without its lists
  uint32_t records = 0;
  uint32_t tombstones = 0;
  uint64_t lists_checksum = 0;
};

Result<Footer> decode_footer(ByteView bytes, uint64_t seed) {
  if (bytes.size() != kSummaryFooterBytes || as_text(bytes.first(kMagic.size())) != kMagic) {
    return Error(Code::kCorrupt, "no segment summary");
  }
  if (Reader(bytes.subspan(kSummedBytes)).u64() != codec::xxh64(bytes.first(kSummedBytes), seed)) {
    return Error(Code::kCorrupt, "segment summary fails its checksum");
  }
  Reader in(bytes.first(kSummedBytes));
  in.skip(kMagic.size());
  if (const uint8_t version = in.u8(); version > kVersion) {
    return Error(Code::kNewerFormat, "segment summary of format " + std::to_string(version));
  }
  Footer footer;
  footer.summary.appendable = (in.u8() & kAppendable) != 0;
  in.skip(2);
  footer.summary.generation = in.u64();
  footer.summary.last_sequence = in.u64();
  footer.summary.segment = in.u32();
  footer.summary.end_page = in.u32();
  footer.records = in.u32();
  footer.tombstones = in.u32();
  in.skip(8);
  footer.lists_checksum = in.u64();
  TRY(in.finish("segment summary"));
  return footer;
}

// Records follow each other without overlap, between the header and the summary.
bool are_in_order(const Summary& summary, uint32_t limit_page) {
  uint64_t free_from = 1;
  for (const SummaryRecord& record : summary.records) {
    if (record.page < free_from || record.pages == 0 || record.stored_bytes > kMaxStoredBytes ||
        uint64_t{record.pages} * kDevicePageBytes < record.stored_bytes) {
      return false;
    }
    free_from = uint64_t{record.page} + record.pages;
  }
  return free_from <= summary.end_page && summary.end_page <= limit_page;
}

}  // namespace

std::string encode_tombstones(std::span<const Tombstone> tombstones) {
  std::string payload;
  payload.reserve(tombstones.size() * kTombstoneBytes);
  Writer out(payload);
  for (const Tombstone& tombstone : tombstones) write(out, tombstone);
  return payload;
}

Result<std::vector<Tombstone>> decode_tombstones(ByteView payload) {
  std::vector<Tombstone> tombstones(payload.size() / kTombstoneBytes);
  Reader in(payload);
  for (Tombstone& tombstone : tombstones) tombstone = read_tombstone(in);
  TRY(in.finish("list of tombstones"));
  return tombstones;
}

SummaryRecord summary_of(const RecordHead& head) {
  return {.kind = head.kind,
          .fragment = head.fragment,
          .id = head.id,
          .birth = head.birth,
          .page = head.page,
          .pages = head.pages,
          .stored_bytes = head.stored_bytes,
          .logical_bytes = head.logical_bytes};
}

uint32_t summary_pages(uint64_t records, uint64_t tombstones) {
  const uint64_t bytes =
      records * kSummaryRecordBytes + tombstones * kTombstoneBytes + kSummaryFooterBytes;
  return static_cast<uint32_t>(round_up(bytes, kDevicePageBytes) / kDevicePageBytes);
}

std::string encode_summary(const Summary& summary, uint64_t seed) {
  const size_t total_bytes =
      size_t{summary_pages(summary.records.size(), summary.tombstones.size())} * kDevicePageBytes;
  std::string bytes;
  bytes.reserve(total_bytes);
  Writer out(bytes);
  for (const SummaryRecord& record : summary.records) write(out, record);
  for (const Tombstone& tombstone : summary.tombstones) write(out, tombstone);
  out.zeros(total_bytes - kSummaryFooterBytes - out.size());
  const uint64_t lists_checksum = codec::xxh64(as_bytes(bytes), seed);

  out.raw(as_bytes(kMagic));
  out.u8(kVersion);
  out.u8(summary.appendable ? kAppendable : 0);
  out.zeros(2);
  out.u64(summary.generation);
  out.u64(summary.last_sequence);
  out.u32(summary.segment);
  out.u32(summary.end_page);
  out.u32(static_cast<uint32_t>(summary.records.size()));
  out.u32(static_cast<uint32_t>(summary.tombstones.size()));
  out.zeros(8);
  out.u64(lists_checksum);
  out.u64(codec::xxh64(as_bytes(bytes).last(kSummedBytes), seed));
  return bytes;
}

Result<uint32_t> peek_summary(ByteView footer_bytes, uint32_t segment_pages, uint64_t seed) {
  const Footer footer = TRY(decode_footer(footer_bytes, seed));
  // A record takes a page, so this also bounds what their number may be multiplied to.
  if (footer.records > segment_pages ||
      footer.tombstones > uint64_t{segment_pages} * kDevicePageBytes / kTombstoneBytes) {
    return Error(Code::kCorrupt, "segment summary is impossible");
  }
  const uint32_t pages = summary_pages(footer.records, footer.tombstones);
  if (pages > segment_pages) return Error(Code::kCorrupt, "segment summary is impossible");
  return pages;
}

Result<Summary> decode_summary(ByteView pages, uint32_t segment_pages, uint64_t seed) {
  if (pages.size() < kDevicePageBytes) return Error(Code::kCorrupt, "no segment summary");
  const ByteView footer_bytes = pages.last(kSummaryFooterBytes);
  const uint32_t summary_page_count = TRY(peek_summary(footer_bytes, segment_pages, seed));
  const size_t total_bytes = size_t{summary_page_count} * kDevicePageBytes;
  if (pages.size() < total_bytes) return Error(Code::kCorrupt, "segment summary is cut off");
  Footer footer = TRY(decode_footer(footer_bytes, seed));
  const ByteView lists = pages.last(total_bytes).first(total_bytes - kSummaryFooterBytes);
  if (codec::xxh64(lists, seed) != footer.lists_checksum) {
    return Error(Code::kCorrupt, "segment summary fails its checksum");
  }
  Summary summary = std::move(footer.summary);
  Reader in(lists);
  summary.records.resize(footer.records);
  for (SummaryRecord& record : summary.records) record = read_record(in);
  summary.tombstones.resize(footer.tombstones);
  for (Tombstone& tombstone : summary.tombstones) tombstone = read_tombstone(in);
  in.rest();
  TRY(in.finish("segment summary"));
  if (!are_in_order(summary, segment_pages - summary_page_count)) {
    return Error(Code::kCorrupt, "segment summary is impossible");
  }
  return summary;
}

}  // namespace nacre::wire
