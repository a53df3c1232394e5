#include "device/segment_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "codec/checksum.h"
#include "device/payload.h"

namespace nacre::device {
namespace {

using wire::kDevicePageBytes;

constexpr uint64_t kSummaryGuessBytes = 64 * kKiB;  // most summaries fit
constexpr uint64_t kWindowBytes = 256 * kKiB;
constexpr uint64_t kVerifyBytes = kMiB;

bool is_blank(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

// A stretch of the segment in memory, so that looking at every page does not read every page alone.
class Window {
 public:
  explicit Window(const SegmentFile& file, uint64_t end) : file_(file), end_(end) {}

  // The page at `offset`; empty if it cannot be read.
  ByteView page(uint64_t offset) {
    if (offset < begin_ || offset + kDevicePageBytes > begin_ + bytes_.size()) load(offset);
    if (bytes_.empty()) return {};
    return as_bytes(bytes_).subspan(offset - begin_, kDevicePageBytes);
  }

 private:
  void load(uint64_t offset) {
    begin_ = offset;
    bytes_.resize(std::min(kWindowBytes, end_ - offset));
    if (file_.read(offset, as_writable_bytes(bytes_)).ok()) return;
    bytes_.resize(kDevicePageBytes);  // what is behind the unreadable place may be readable
    if (!file_.read(offset, as_writable_bytes(bytes_)).ok()) bytes_.clear();
  }

  const SegmentFile& file_;
  const uint64_t end_;
  uint64_t begin_ = 0;
  std::string bytes_;
};

enum class PayloadState { kGood, kBad, kUnreadable };

PayloadState verify_payload(const SegmentFile& file, const wire::RecordHead& head,
                            std::string& buffer) {
  for (uint64_t offset = 0; offset < head.stored_bytes; offset += kVerifyBytes) {
    buffer.resize(std::min(kVerifyBytes, head.stored_bytes - offset));
    const Status read = read_payload(file, head, offset, as_writable_bytes(buffer));
    if (!read.ok()) {
      return read.code() == Code::kCorrupt ? PayloadState::kBad : PayloadState::kUnreadable;
    }
  }
  return PayloadState::kGood;
}

}  // namespace

FoundHeader SegmentReader::read_header(const SegmentFile& file, uint32_t segment) const {
  std::string page(kDevicePageBytes, '\0');
  FoundHeader found;
  if (const Status read = file.read(0, as_writable_bytes(page)); !read.ok()) {
    found.state = HeaderState::kBad;
    found.error = read.error();
    return found;
  }
  if (is_blank(as_bytes(page))) return found;
  const Result<wire::SegmentHeader> header =
      wire::decode_segment_header(as_bytes(page), superblock_.device);
  if (!header.ok() || header->segment != segment) {
    found.state = HeaderState::kBad;
    found.error = header.ok() ? Error(Code::kCorrupt, "header of another segment") : header.error();
    return found;
  }
  found.state =
      header->state == wire::SegmentState::kFree ? HeaderState::kFree : HeaderState::kUsed;
  found.generation = header->generation;
  return found;
}

Result<wire::Summary> SegmentReader::read_summary(const SegmentFile& file, uint32_t segment,
                                                  uint64_t generation) const {
  const uint64_t guess_bytes = std::min(kSummaryGuessBytes, superblock_.segment_bytes);
  std::string bytes(guess_bytes, '\0');
  TRY(file.read(superblock_.segment_bytes - guess_bytes, as_writable_bytes(bytes)));
  const ByteView footer = as_bytes(bytes).last(wire::kSummaryFooterBytes);
  const uint64_t needed_bytes =
      uint64_t{TRY(wire::peek_summary(footer, segment_pages_, seed_))} * kDevicePageBytes;
  if (needed_bytes > bytes.size()) {
    bytes.resize(needed_bytes);
    TRY(file.read(superblock_.segment_bytes - needed_bytes, as_writable_bytes(bytes)));
  }
  wire::Summary summary = TRY(wire::decode_summary(as_bytes(bytes), segment_pages_, seed_));
  if (summary.segment != segment || (generation != 0 && summary.generation != generation)) {
    return Error(Code::kCorrupt, "segment summary of another use");
  }
  return summary;
}

struct SegmentReader::Walk {
  const SegmentFile& file;
  const uint32_t segment;
  uint64_t generation;
  Window window;
  uint32_t page = 1;
  uint32_t synced_pages = 0;  // the most that a record found says were durable
  bool in_gap = false;
  std::vector<uint32_t> gaps = {};            // where they begin
  std::vector<wire::SummaryRecord> bad = {};  // payload fails
  SegmentContents contents = {};
  std::string buffer = {};
};

std::optional<wire::RecordHead> SegmentReader::record_at(Walk& walk) const {
  const ByteView page = walk.window.page(uint64_t{walk.page} * kDevicePageBytes);
  if (page.empty()) walk.contents.unreadable = true;
  const Result<uint32_t> head_bytes = wire::peek_record_head(page);
  if (!head_bytes.ok()) return std::nullopt;
  const auto accept = [&](const wire::RecordHead& head) {
    return head.page == walk.page && uint64_t{head.page} + head.pages <= segment_pages_ &&
           (walk.generation == 0 || head.generation == walk.generation) &&
           head.sequence > walk.contents.summary.last_sequence;
  };
  if (*head_bytes <= page.size()) {
    Result<wire::RecordHead> head = wire::decode_record_head(page, seed_);
    if (!head.ok() || !accept(*head)) return std::nullopt;
    return head.take();
  }
  std::string bytes(*head_bytes, '\0');
  const uint64_t offset = uint64_t{walk.page} * kDevicePageBytes;
  if (!walk.file.read(offset, as_writable_bytes(bytes)).ok()) {
    walk.contents.unreadable = true;
    return std::nullopt;
  }
  Result<wire::RecordHead> head = wire::decode_record_head(as_bytes(bytes), seed_);
  if (!head.ok() || !accept(*head)) return std::nullopt;
  return head.take();
}

void SegmentReader::take(Walk& walk, const wire::RecordHead& head) const {
  wire::Summary& summary = walk.contents.summary;
  walk.generation = head.generation;
  summary.last_sequence = head.sequence;
  walk.synced_pages = std::max(walk.synced_pages, head.synced_pages);
  summary.end_page = head.page + head.pages;
  const PayloadState payload = verify_payload(walk.file, head, walk.buffer);
  if (payload == PayloadState::kBad) {
    walk.bad.push_back(wire::summary_of(head));
    return;
  }
  summary.records.push_back(wire::summary_of(head));
  if (head.kind != wire::RecordKind::kTombstones || payload != PayloadState::kGood) return;
  std::string bytes(head.stored_bytes, '\0');
  if (!read_payload(walk.file, head, 0, as_writable_bytes(bytes)).ok()) return;
  const Result<std::vector<wire::Tombstone>> tombstones = wire::decode_tombstones(as_bytes(bytes));
  if (!tombstones.ok()) return;
  summary.tombstones.insert(summary.tombstones.end(), tombstones->begin(), tombstones->end());
}

SegmentContents SegmentReader::finish(Walk& walk) const {
  SegmentContents& contents = walk.contents;
  contents.summary.segment = walk.segment;
  contents.summary.generation = walk.generation;
  for (const wire::SummaryRecord& record : walk.bad) {
    if (record.page + record.pages > walk.synced_pages) {
      ++contents.torn_records;
    } else {
      contents.summary.records.push_back(record);  // it was durable once: reads say kCorrupt
    }
  }
  for (const uint32_t page : walk.gaps) {
    if (page < walk.synced_pages) ++contents.lost_places;
  }
  std::ranges::sort(contents.summary.records, {}, &wire::SummaryRecord::page);
  return std::move(contents);
}

SegmentContents SegmentReader::walk(const SegmentFile& file, uint32_t segment,
                                    uint64_t generation) const {
  Walk walk{.file = file,
            .segment = segment,
            .generation = generation,
            .window = Window(file, superblock_.segment_bytes)};
  walk.contents.summary.end_page = 1;
  while (walk.page < segment_pages_) {
    std::optional<wire::RecordHead> head = record_at(walk);
    if (!head) {
      if (!walk.in_gap) walk.gaps.push_back(walk.page);
      walk.in_gap = true;
      ++walk.page;
      continue;
    }
    walk.in_gap = false;
    walk.page = head->page + head->pages;
    take(walk, *head);
  }
  return finish(walk);
}

SegmentContents SegmentReader::read(const SegmentFile& file, uint32_t segment,
                                    uint64_t generation) const {
  Result<wire::Summary> summary = read_summary(file, segment, generation);
  if (!summary.ok()) return walk(file, segment, generation);
  SegmentContents contents;
  contents.summary = summary.take();
  contents.sealed = true;
  return contents;
}

}  // namespace nacre::device
