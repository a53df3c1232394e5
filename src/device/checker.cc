#include "device/checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "device/payload.h"

namespace nacre::device {
namespace {

using wire::kDevicePageBytes;

constexpr uint64_t kReadBytes = kMiB;

}  // namespace

Result<CheckReport> Checker::run() {
  for (uint32_t segment = 0; segment < core_.segments.size(); ++segment) {
    if (core_.segments.at(segment).use == Use::kDamaged) {
      ++result_.segments;
      found(segment, 0, nullptr,
            Error(Code::kCorrupt, "content unknown since the device was opened; kept out of use"));
      continue;
    }
    const auto state = core_.segments.pin_in_use(segment);
    if (!state) continue;
    ++result_.segments;
    check_segment(segment, *state);
    core_.segments.unpin(segment);
  }
  return result_;
}

void Checker::found(uint32_t segment, uint64_t offset_bytes, const wire::SummaryRecord* record,
                    const Error& error) {
  ++result_.problems;
  if (error.code() == Code::kIo) core_.faults.io.fetch_add(1);
  if (error.code() == Code::kCorrupt) core_.faults.corrupt.fetch_add(1);
  Problem problem{.segment = segment, .offset_bytes = offset_bytes, .what = error.to_string()};
  if (record != nullptr) {
    problem.id = record->id;
    problem.fragment = record->fragment;
  }
  report_(problem);
}

void Checker::check_segment(uint32_t segment, const SegmentTable::Segment& state) {
  const Result<SegmentFile> file = core_.backing->open_segment(segment);
  if (!file.ok()) return found(segment, 0, nullptr, file.error());
  const FoundHeader header = core_.reader.read_header(*file, segment);
  if (header.state != HeaderState::kUsed || header.generation != state.generation) {
    found(segment, 0, nullptr, Error(Code::kCorrupt, "segment header is bad"));
  }
  const wire::Summary contents = contents_of(*file, segment, state);
  for (const wire::SummaryRecord& record : contents.records) {
    check_record(*file, segment, state.generation, record);
  }
}

wire::Summary Checker::contents_of(const SegmentFile& file, uint32_t segment,
                                   const SegmentTable::Segment& state) {
  if (std::optional<wire::Summary> open = core_.log->contents(segment)) return std::move(*open);
  Result<wire::Summary> summary = core_.reader.read_summary(file, segment, state.generation);
  if (summary.ok()) return summary.take();
  const uint64_t footer_at = core_.superblock.segment_bytes - wire::kSummaryFooterBytes;
  // One that goes on taking appends has none any more. What a crash left without one gets it when
  // the device is opened for writing.
  const bool sealed = core_.segments.at(segment).use == Use::kSealed;
  if (sealed && !core_.read_only) found(segment, footer_at, nullptr, summary.error());
  return core_.reader.walk(file, segment, state.generation).summary;
}

// Only of a record that lives here; what is dead may be anything.
void Checker::check_record(const SegmentFile& file, uint32_t segment, uint64_t generation,
                           const wire::SummaryRecord& record) {
  if (record.kind == wire::RecordKind::kFragment) {
    const std::optional<Place> place = core_.index.find({record.id, record.fragment});
    if (!place || place->segment != segment || place->page != record.page) return;
  }
  ++result_.records;
  const uint64_t offset_bytes = uint64_t{record.page} * kDevicePageBytes;
  const Result<wire::RecordHead> head = read_head(file, record.page, generation, core_.seed);
  if (!head.ok()) return found(segment, offset_bytes, &record, head.error());
  if (wire::summary_of(*head) != record) {
    return found(segment, offset_bytes, &record,
                 Error(Code::kCorrupt, "record is not the one that the summary lists"));
  }
  if (deep_) check_payload(file, segment, *head);
}

void Checker::check_payload(const SegmentFile& file, uint32_t segment,
                            const wire::RecordHead& head) {
  const wire::SummaryRecord record = wire::summary_of(head);
  for (uint64_t offset = 0; offset < head.stored_bytes; offset += kReadBytes) {
    buffer_.resize(std::min(kReadBytes, head.stored_bytes - offset));
    const Status read = read_payload(file, head, offset, as_writable_bytes(buffer_));
    result_.bytes += buffer_.size();
    if (read.ok()) continue;
    return found(segment, uint64_t{head.page} * kDevicePageBytes + head.payload_offset + offset,
                 &record, read.error());
  }
}

}  // namespace nacre::device
