#include "device/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/units.h"

namespace nacre::device {
namespace {

using wire::kDevicePageBytes;

// Full segments that wait for a sync to seal them; past that, appends do it.
constexpr size_t kMaxFull = 4;
// Large records start their way to the disk at once, so that a later sync is short.
constexpr uint64_t kWritebackBytes = 256 * kKiB;

constexpr std::array<std::byte, kDevicePageBytes> kZeros{};

// Each open segment of a small device is a good part of it.
size_t max_open(const wire::Superblock& superblock) {
  return std::clamp<size_t>(superblock.segment_count / 16, 1, 4);
}

}  // namespace

Log::Log(std::string device_name, const wire::Superblock& superblock, Backing& backing,
         SegmentTable& segments, Start start)
    : device_name_(std::move(device_name)),
      superblock_(superblock),
      seed_(wire::checksum_seed(superblock.device)),
      segment_pages_(segments.segment_pages()),
      max_open_(max_open(superblock)),
      backing_(backing),
      segments_(segments),
      next_generation_(start.generation),
      next_sequence_(start.sequence) {}

Result<Place> Log::append(wire::RecordHead& head, std::span<const ByteView> parts, Purpose purpose,
                          const std::function<void(const Place&)>& publish) {
  return append_record(head, parts, {}, purpose, publish);
}

Result<Place> Log::append_record(wire::RecordHead& head, std::span<const ByteView> parts,
                                 std::span<const wire::Tombstone> tombstones, Purpose purpose,
                                 const std::function<void(const Place&)>& publish) {
  const auto tombstone_count = static_cast<uint32_t>(tombstones.size());
  const Reservation reservation = TRY(reserve(head, tombstone_count, purpose));
  const std::string head_bytes = wire::encode_record_head(head, seed_);
  std::vector<ByteView> all;
  all.reserve(parts.size() + 2);
  all.push_back(as_bytes(head_bytes));
  all.insert(all.end(), parts.begin(), parts.end());
  const uint64_t record_bytes = uint64_t{head.pages} * kDevicePageBytes;
  all.push_back(ByteView(kZeros).first(record_bytes - head.payload_offset - head.stored_bytes));

  const SegmentFile& file = reservation.open->file;
  const uint64_t offset = uint64_t{head.page} * kDevicePageBytes;
  const Status written = file.write(offset, all);
  if (!written.ok()) {
    if (written.code() != Code::kNoSpace) {
      os::Lock lock(mutex_);
      fail(written.error());
    }
    finish(reservation, nullptr, {});
    return written.error();
  }
  if (record_bytes >= kWritebackBytes) file.start_writeback(offset, record_bytes);
  const Place place{.birth = head.birth,
                    .generation = head.generation,
                    .segment = reservation.open->segment,
                    .page = head.page,
                    .pages = head.pages,
                    .stored_bytes = head.stored_bytes,
                    .logical_bytes = head.logical_bytes};
  publish(place);
  finish(reservation, &head, tombstones);
  // A failure here is one of sync(), which remembers it; this record is readable.
  (void)seal_full(kMaxFull).ok();
  return place;
}

Result<Log::Reservation> Log::reserve(wire::RecordHead& head, uint32_t tombstones,
                                      Purpose purpose) {
  if (1 + uint64_t{head.pages} + wire::summary_pages(1, tombstones) > segment_pages_) {
    return Error(Code::kTooBig,
                 fmt::format("device {}: a record of {} does not fit into a segment", device_name_,
                             format_size(uint64_t{head.pages} * kDevicePageBytes)));
  }
  for (;;) {
    {
      os::Lock lock(mutex_);
      if (failure_) return *failure_;
      const OpenPtr open = choose(head.pages, tombstones, purpose);
      const bool take = open && (open->writing.empty() || opening_ || !may_spread(purpose));
      if (take) return take_pages(open, head, tombstones);
      if (opening_) {
        changed_.wait(mutex_);
        continue;
      }
      opening_ = true;
    }
    Result<OpenPtr> opened = open_segment(purpose, head.pages);
    os::Lock lock(mutex_);
    opening_ = false;
    changed_.notify_all();
    if (opened.ok()) {
      make_room_for_another((*opened)->for_moves);
      open_.push_back(opened.take());
      continue;
    }
    const OpenPtr open = choose(head.pages, tombstones, purpose);
    if (!open) return opened.error();
    return take_pages(open, head, tombstones);
  }
}

bool Log::has_room(const OpenSegment& open, uint32_t pages, uint32_t tombstones) const {
  const uint32_t summary_pages =
      wire::summary_pages(open.records + 1, open.tombstones + tombstones);
  return uint64_t{open.summary.end_page} + pages + summary_pages <= segment_pages_;
}

// The least busy of those with room. Moved records keep to themselves, since they are likely to
// stay; removals go wherever there is room.
Log::OpenPtr Log::choose(uint32_t pages, uint32_t tombstones, Purpose purpose) {
  OpenPtr best;
  for (const OpenPtr& open : open_) {
    if (open->full || !has_room(*open, pages, tombstones)) continue;
    if (purpose != Purpose::kTombstones && open->for_moves != (purpose == Purpose::kMove)) continue;
    const bool better = !best || std::pair(open->for_moves, open->writing.size()) <
                                     std::pair(best->for_moves, best->writing.size());
    if (better) best = open;
  }
  return best;
}

size_t Log::count_open(bool for_moves) {
  return static_cast<size_t>(std::ranges::count_if(open_, [for_moves](const OpenPtr& open) {
    return !open->full && open->for_moves == for_moves;
  }));
}

// Whether parallel writers may have another segment although there is room in one.
bool Log::may_spread(Purpose purpose) {
  if (purpose != Purpose::kNew || count_open(false) >= max_open_) return false;
  const SegmentTable::Totals totals = segments_.totals();
  return totals.spare + totals.creatable > kReserveSegments + 4 * max_open_;
}

void Log::make_room_for_another(bool for_moves) {
  const size_t limit = for_moves ? 1 : max_open_;
  while (count_open(for_moves) >= limit) {
    OpenPtr fullest;
    for (const OpenPtr& open : open_) {
      if (open->full || open->for_moves != for_moves) continue;
      if (!fullest || open->summary.end_page > fullest->summary.end_page) fullest = open;
    }
    fullest->full = true;
  }
}

Log::Reservation Log::take_pages(const OpenPtr& open, wire::RecordHead& head, uint32_t tombstones) {
  head.generation = open->summary.generation;
  head.page = open->summary.end_page;
  head.synced_pages = open->synced_pages;
  head.sequence = next_sequence_++;
  if (head.birth == 0) head.birth = head.sequence;
  open->summary.end_page += head.pages;
  open->summary.last_sequence = head.sequence;
  ++open->records;
  open->tombstones += tombstones;
  open->writing.push_back(head.page);
  segments_.set_end(open->segment, open->summary.end_page);
  return {.open = open, .page = head.page};
}

// `written` is null when the write failed: the place stays a gap, and nothing follows it.
void Log::finish(const Reservation& reservation, const wire::RecordHead* written,
                 std::span<const wire::Tombstone> tombstones) {
  os::Lock lock(mutex_);
  OpenSegment& open = *reservation.open;
  std::erase(open.writing, reservation.page);
  if (written != nullptr) {
    open.summary.records.push_back(wire::summary_of(*written));
    open.summary.tombstones.insert(open.summary.tombstones.end(), tombstones.begin(),
                                   tombstones.end());
  } else {
    open.full = true;
  }
  changed_.notify_all();
}

void Log::fail(const Error& error) {
  if (!failure_) {
    failure_ = Error(Code::kIo, fmt::format("device {} takes no more writes until it is opened "
                                            "again, since this failed: {}",
                                            device_name_, error.context()));
  }
  changed_.notify_all();
}

std::optional<wire::Summary> Log::contents(uint32_t segment) {
  os::Lock lock(mutex_);
  for (const OpenPtr& open : open_) {
    if (open->segment == segment) return open->summary;
  }
  return std::nullopt;
}

uint64_t Log::room_pages() {
  os::Lock lock(mutex_);
  uint64_t pages = 0;
  for (const OpenPtr& open : open_) {
    if (open->full || open->for_moves) continue;
    const uint64_t taken =
        open->summary.end_page + wire::summary_pages(open->records + 1, open->tombstones);
    if (taken < segment_pages_) pages += segment_pages_ - taken;
  }
  return pages;
}

uint64_t Log::next_generation() {
  os::Lock lock(mutex_);
  return next_generation_;
}

uint64_t Log::opened_for_moves() {
  os::Lock lock(mutex_);
  return opened_for_moves_;
}

std::optional<Error> Log::failure() {
  os::Lock lock(mutex_);
  return failure_;
}

}  // namespace nacre::device
