#include "device/recovery.h"

#include <algorithm>

namespace nacre::device {

using wire::kDevicePageBytes;

Status Recovery::run() {
  std::vector<uint32_t> segments = TRY(core_.backing->existing_segments());
  std::ranges::sort(segments);
  for (const uint32_t segment : segments) load_segment(segment);
  core_.segments.finish_restore();
  apply_tombstones();
  count_live();
  const uint64_t first_generation = uint64_t{core_.superblock.epoch} << 32 | 1;
  const Log::Start start{.generation = std::max(first_generation, last_generation_ + 1),
                         .sequence = last_sequence_ + 1};
  core_.log =
      std::make_unique<Log>(core_.name, core_.superblock, *core_.backing, core_.segments, start);
  if (core_.read_only) return {};
  for (const wire::Tombstone& tombstone : missing_) core_.log->bury(tombstone);
  TRY(seal_unsealed());
  fill_reserve();
  return {};
}

void Recovery::load_segment(uint32_t segment) {
  const Result<SegmentFile> file = core_.backing->open_segment(segment);
  if (!file.ok()) {
    (void)core_.located(segment, file.error());
    return restore_damaged(segment, 0);
  }
  const FoundHeader header = core_.reader.read_header(*file, segment);
  switch (header.state) {
    case HeaderState::kBlank:
      // A file may be blank since it was never filled: making it again reserves its space.
      return restore_free(segment, 0, core_.superblock.backing == BackingKind::kImage);
    case HeaderState::kFree:
      return restore_free(segment, header.generation, true);
    case HeaderState::kUsed:
      return take_contents(segment, *file, core_.reader.read(*file, segment, header.generation),
                           false);
    case HeaderState::kBad:
      break;
  }
  (void)core_.located(segment, header.error);
  take_contents(segment, *file, core_.reader.read(*file, segment, 0), true);
}

void Recovery::restore_free(uint32_t segment, uint64_t generation, bool exists) {
  last_generation_ = std::max(last_generation_, generation);
  core_.segments.restore(segment, {.use = Use::kFree, .exists = exists, .generation = generation});
}

void Recovery::restore_damaged(uint32_t segment, uint64_t generation) {
  last_generation_ = std::max(last_generation_, generation);
  core_.segments.restore(segment, {.use = Use::kDamaged, .exists = true, .generation = generation});
}

void Recovery::take_contents(uint32_t segment, const SegmentFile& file, SegmentContents contents,
                             bool header_bad) {
  wire::Summary& summary = contents.summary;
  core_.findings.lost_places += contents.lost_places;
  core_.findings.torn_records += contents.torn_records;
  last_sequence_ = std::max(last_sequence_, summary.last_sequence);
  if (summary.records.empty()) {
    // Nothing durable ever was in it, unless what was cannot be read.
    if (header_bad || contents.unreadable) return restore_damaged(segment, summary.generation);
    return restore_free(segment, summary.generation, true);
  }
  last_generation_ = std::max(last_generation_, summary.generation);
  core_.segments.restore(segment, {.use = Use::kSealed,
                                   .exists = true,
                                   .appendable = summary.appendable && !header_bad,
                                   .stuck = contents.unreadable,
                                   .generation = summary.generation,
                                   .end_page = summary.end_page});
  for (const wire::SummaryRecord& record : summary.records) {
    last_sequence_ = std::max(last_sequence_, record.birth);
    if (record.kind != wire::RecordKind::kFragment) continue;
    const std::optional<Place> loser =
        core_.index.restore({record.id, record.fragment}, {.birth = record.birth,
                                                           .generation = summary.generation,
                                                           .segment = segment,
                                                           .page = record.page,
                                                           .pages = record.pages,
                                                           .stored_bytes = record.stored_bytes,
                                                           .logical_bytes = record.logical_bytes});
    if (loser) core_.segments.set_stale(loser->segment);
  }
  for (const wire::Tombstone& tombstone : summary.tombstones) {
    tombstones_.emplace(Key{tombstone.id, tombstone.fragment}, HeldTombstone{tombstone, segment});
  }
  const bool needs_sealing = !contents.sealed && !contents.unreadable;
  if (needs_sealing || header_bad) unsealed_.push_back({file, std::move(summary), header_bad});
}

// A tombstone is kept as long as the segment it names is in use. Where it killed a copy elsewhere
// (one moved just as the record was removed), that copy needs one of its own.
void Recovery::apply_tombstones() {
  for (const auto& [key, held] : tombstones_) {
    const std::optional<Place> place = core_.index.find(key);
    if (!place || place->birth > held.tombstone.birth) continue;
    core_.index.erase(key);
    const auto [begin, end] = tombstones_.equal_range(key);
    const bool covered = std::any_of(begin, end, [&place](const auto& entry) {
      const wire::Tombstone& other = entry.second.tombstone;
      return other.segment == place->segment && other.generation == place->generation &&
             other.birth >= place->birth;
    });
    if (covered) continue;
    missing_.push_back({.id = key.id,
                        .fragment = key.fragment,
                        .birth = place->birth,
                        .generation = place->generation,
                        .segment = place->segment});
  }
  for (const auto& [key, held] : tombstones_) {
    core_.segments.add_tombstone(held.tombstone.segment, held.tombstone.generation, held.holder,
                                 core_.segments.generation(held.holder));
  }
  tombstones_.clear();
}

void Recovery::count_live() {
  core_.index.for_each([this](const Key&, const Place& place) {
    core_.segments.add_live(place.segment, place.generation, place.pages);
    return true;
  });
}

// What was found may be known to the host alone, if only the process crashed: it must be durable
// before a summary vouches for it, and before anybody relies on it.
Status Recovery::seal_unsealed() {
  for (const Unsealed& found : unsealed_) {
    TRY(found.file.sync());
    if (found.header_bad) {
      const std::string header =
          wire::encode_segment_header({.state = wire::SegmentState::kUsed,
                                       .device = core_.superblock.device,
                                       .segment = found.summary.segment,
                                       .generation = found.summary.generation});
      TRY(found.file.write(0, as_bytes(header)));
    }
    const std::string summary = wire::encode_summary(found.summary, core_.seed);
    const uint64_t end_bytes = uint64_t{found.summary.end_page} * kDevicePageBytes;
    if (end_bytes + summary.size() <= core_.superblock.segment_bytes) {
      TRY(found.file.write(core_.superblock.segment_bytes - summary.size(), as_bytes(summary)));
    }
    TRY(found.file.sync());
  }
  unsealed_.clear();
  return {};
}

// In a directory the reserve must have its space before the host runs out of it. If the host has
// none now, the device works without until segments are freed.
void Recovery::fill_reserve() {
  while (const std::optional<uint32_t> segment = core_.segments.missing_reserve()) {
    const Result<SegmentFile> file = core_.backing->create_segment(*segment);
    const bool made = file.ok() && file->sync().ok();
    core_.segments.put_back_free(*segment, made, core_.host.clock.monotonic_ns());
    if (!made) return;
  }
}

}  // namespace nacre::device
