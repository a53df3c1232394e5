#include "device/cleaner.h"

#include <algorithm>

#include "base/units.h"
#include "device/core.h"
#include "device/payload.h"

namespace nacre::device {
namespace {

using wire::kDevicePageBytes;

constexpr uint32_t kSparesKept = kReserveSegments + 2;
constexpr int64_t kLongFreeNs = 60'000'000'000;

}  // namespace

Cleaner::Turn::Turn(Cleaner& cleaner) : cleaner_(cleaner) {
  os::Lock lock(cleaner_.mutex_);
  while (cleaner_.busy_) cleaner_.idle_.wait(cleaner_.mutex_);
  cleaner_.busy_ = true;
}

Cleaner::Turn::~Turn() {
  os::Lock lock(cleaner_.mutex_);
  cleaner_.busy_ = false;
  cleaner_.idle_.notify_one();
}

Result<uint64_t> Cleaner::clean(uint64_t bytes) {
  const Turn turn(*this);
  // What this call fills itself is not cleaned again.
  const uint64_t before_generation = core_.log->next_generation();
  // Segments freed, less those opened for what moved: those new blocks cannot use. A reserve that
  // was drawn on is filled first.
  const uint64_t opened_before = core_.log->opened_for_moves();
  const uint32_t spare = core_.segments.totals().spare;
  const uint64_t owed = spare < kReserveSegments ? kReserveSegments - spare : 0;
  uint64_t freed = TRY(free_dead_in_turn());
  const auto gained_bytes = [&] {
    const uint64_t taken = core_.log->opened_for_moves() - opened_before + owed;
    const uint64_t usable_bytes = core_.superblock.segment_bytes - 2 * kDevicePageBytes;
    return freed > taken ? (freed - taken) * usable_bytes : 0;
  };
  Status outcome;
  while (gained_bytes() < bytes) {
    const auto candidate = core_.segments.next_candidate(before_generation);
    if (!candidate) break;
    outcome = clean_segment(*candidate);
    if (outcome.ok()) {
      ++freed;
      continue;
    }
    // A damaged one is set aside; the next may do. Anything else would hit all.
    if (!core_.segments.at(candidate->segment).stuck) break;
  }
  release_spares(false);
  const uint64_t gained = gained_bytes();
  if (gained == 0 && !outcome.ok()) return outcome.error();
  return gained;
}

Result<uint32_t> Cleaner::free_dead() {
  const Turn turn(*this);
  return free_dead_in_turn();
}

Result<uint32_t> Cleaner::free_dead_in_turn() {
  uint32_t freed = 0;
  for (const uint32_t segment : core_.segments.all_dead()) {
    const SegmentTable::Candidate candidate{.segment = segment,
                                            .generation = core_.segments.generation(segment)};
    const SegmentFile file = TRY(core_.backing->open_segment(segment));
    if (!core_.segments.begin_free(segment, false)) continue;  // once its readers are done
    TRY(free_segment(file, candidate));
    ++freed;
  }
  return freed;
}

Status Cleaner::clean_segment(const SegmentTable::Candidate& candidate) {
  const Result<SegmentFile> file = core_.backing->open_segment(candidate.segment);
  if (!file.ok()) {
    core_.segments.set_stuck(candidate.segment);
    return core_.located(candidate.segment, file.error());
  }
  Status moved = move_contents(*file, candidate);
  if (moved.ok()) {
    core_.segments.begin_free(candidate.segment, true);
    return free_segment(*file, candidate);
  }
  // Some of its records may have moved and left their copies behind.
  core_.segments.set_stale(candidate.segment);
  const bool damaged = moved.code() == Code::kCorrupt || moved.code() == Code::kIo;
  if (damaged) core_.segments.set_stuck(candidate.segment);
  return moved;
}

// Copies everything that counts into the log, durable on return.
Status Cleaner::move_contents(const SegmentFile& file, const SegmentTable::Candidate& candidate) {
  const SegmentContents contents = core_.reader.read(file, candidate.segment, candidate.generation);
  if (contents.unreadable) {
    return core_.located(candidate.segment, Error(Code::kIo, "it cannot be read as a whole"));
  }
  for (const wire::SummaryRecord& record : contents.summary.records) {
    if (record.kind != wire::RecordKind::kFragment) continue;
    const std::optional<Place> place = core_.index.find({record.id, record.fragment});
    const bool lives_here =
        place && place->segment == candidate.segment && place->page == record.page;
    if (!lives_here) continue;
    TRY(move_record(file, candidate, record));
  }
  for (const wire::Tombstone& tombstone : contents.summary.tombstones) {
    const bool needed =
        core_.segments.needs_tombstone(tombstone.segment, tombstone.generation, candidate.segment);
    if (needed) core_.log->bury(tombstone);
  }
  return core_.log->sync(Purpose::kMove);
}

// The bytes move as they are: a page that fails its checksum here fails it there.
Status Cleaner::move_record(const SegmentFile& file, const SegmentTable::Candidate& candidate,
                            const wire::SummaryRecord& record) {
  Result<wire::RecordHead> head = read_head(file, record.page, candidate.generation, core_.seed);
  if (!head.ok()) return core_.located(candidate.segment, head.error());
  std::string payload(head->stored_bytes, '\0');
  const uint64_t offset = uint64_t{record.page} * kDevicePageBytes + head->payload_offset;
  if (const Status read = file.read(offset, as_writable_bytes(payload)); !read.ok()) {
    return core_.located(candidate.segment, read.error());
  }
  const ByteView parts[] = {as_bytes(payload)};
  if (checksums_of(parts) != head->page_checksums) core_.faults.corrupt.fetch_add(1);

  const Key key{head->id, head->fragment};
  const auto repoint = [&](const Place& to) {
    core_.segments.add_live(to.segment, to.generation, to.pages);
    if (core_.index.move(key, candidate.segment, record.page, to)) {
      core_.segments.add_live(candidate.segment, candidate.generation, -int64_t{record.pages});
      return;
    }
    // Removed meanwhile: the removal knows of the old copy only.
    core_.segments.add_live(to.segment, to.generation, -int64_t{to.pages});
    core_.log->bury({.id = key.id,
                     .fragment = key.fragment,
                     .birth = to.birth,
                     .generation = to.generation,
                     .segment = to.segment});
  };
  TRY(core_.log->append(*head, parts, Purpose::kMove, repoint));
  return {};
}

// The segment is being freed: nothing in it counts any more, and what was moved out is durable.
Status Cleaner::free_segment(const SegmentFile& file, const SegmentTable::Candidate& candidate) {
  const std::string header = wire::encode_segment_header({.state = wire::SegmentState::kFree,
                                                          .device = core_.superblock.device,
                                                          .segment = candidate.segment,
                                                          .generation = candidate.generation});
  const std::string zeros(kDevicePageBytes, '\0');
  Status marked = file.write(0, as_bytes(header));
  if (marked.ok()) {
    marked = file.write(core_.superblock.segment_bytes - kDevicePageBytes, as_bytes(zeros));
  }
  if (marked.ok()) marked = file.sync();
  if (!marked.ok()) {
    core_.segments.cancel_free(candidate.segment);
    return core_.located(candidate.segment, marked.error());
  }
  core_.log->forget(file);
  core_.segments.free(candidate.segment, core_.host.clock.monotonic_ns());
  return {};
}

void Cleaner::release_spares(bool closing) {
  if (core_.superblock.backing != BackingKind::kDirectory) return;
  const int64_t now_ns = core_.host.clock.monotonic_ns();
  const uint32_t keep = closing ? kReserveSegments : kSparesKept;
  const int64_t before_ns = closing ? now_ns : now_ns - kLongFreeNs;
  while (const auto segment = core_.segments.take_spare(keep, before_ns)) {
    const bool released = core_.backing->release_segment(*segment).ok();
    core_.segments.put_back_free(*segment, !released, now_ns);
    if (!released) return;
  }
}

}  // namespace nacre::device
