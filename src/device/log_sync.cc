// How the Log makes appends durable, and seals segments.
#include <algorithm>

#include "base/units.h"
#include "device/log.h"
#include "device/payload.h"

namespace nacre::device {
namespace {

using wire::kDevicePageBytes;

constexpr size_t kMaxTombstonesAtOnce = 4096;
// Summaries that only the host knows of. They need not be durable, only better be; what is beyond
// the limit was written back long ago.
constexpr size_t kMaxUnsyncedSummaries = 32;

}  // namespace

size_t Log::bury(const wire::Tombstone& tombstone) {
  os::Lock lock(mutex_);
  buried_.push_back(tombstone);
  return buried_.size();
}

Status Log::flush_tombstones(Purpose purpose) {
  std::vector<wire::Tombstone> mine;
  {
    os::Lock lock(mutex_);
    // Those that another caller is writing may be ones that this call must wait for.
    while (burying_) changed_.wait(mutex_);
    if (failure_) return *failure_;
    if (buried_.empty()) return {};
    burying_ = true;
    mine.swap(buried_);
  }
  std::erase_if(mine, [this](const wire::Tombstone& tombstone) {
    return !segments_.needs_tombstone(tombstone.segment, tombstone.generation);
  });
  const Status written = write_tombstones(mine, purpose);
  os::Lock lock(mutex_);
  burying_ = false;
  if (!written.ok()) buried_.insert(buried_.end(), mine.begin(), mine.end());
  changed_.notify_all();
  return written;
}

Status Log::write_tombstones(std::span<const wire::Tombstone> tombstones, Purpose purpose) {
  const size_t most = std::min<size_t>(
      kMaxTombstonesAtOnce, segment_pages_ / 8 * kDevicePageBytes / wire::kTombstoneBytes);
  while (!tombstones.empty()) {
    const auto batch = tombstones.first(std::min(tombstones.size(), most));
    const std::string payload = wire::encode_tombstones(batch);
    const ByteView parts[] = {as_bytes(payload)};
    wire::RecordHead head{.kind = wire::RecordKind::kTombstones,
                          .logical_bytes = static_cast<uint32_t>(payload.size()),
                          .stored_bytes = static_cast<uint32_t>(payload.size()),
                          .page_checksums = checksums_of(parts)};
    wire::lay_out(head);
    TRY(append_record(head, parts, batch, purpose, [&](const Place& place) {
      for (const wire::Tombstone& tombstone : batch) {
        segments_.add_tombstone(tombstone.segment, tombstone.generation, place.segment,
                                place.generation);
      }
    }));
    tombstones = tombstones.subspan(batch.size());
  }
  return {};
}

Status Log::sync(Purpose tombstones) {
  TRY(flush_tombstones(tombstones));
  std::vector<std::pair<OpenPtr, uint32_t>> targets;
  {
    os::Lock lock(mutex_);
    if (failure_) return *failure_;
    for (const OpenPtr& open : open_) {
      if (open->summary.end_page > open->synced_pages) {
        targets.emplace_back(open, open->summary.end_page);
      }
    }
  }
  for (const auto& [open, end_page] : targets) TRY(sync_segment(open, end_page));
  return seal_full(0);
}

bool Log::has_unsynced() {
  os::Lock lock(mutex_);
  return failure_ || burying_ || !buried_.empty() ||
         std::ranges::any_of(open_, [](const OpenPtr& open) {
           return open->summary.end_page > open->synced_pages;
         });
}

// Makes the pages before `end_page` durable.
Status Log::sync_segment(const OpenPtr& open, uint32_t end_page) {
  uint32_t covered = 0;
  {
    os::Lock lock(mutex_);
    // A record behind one that is still being written could not be found after a crash.
    const auto written = [&open] {
      return open->writing.empty() ? open->summary.end_page : std::ranges::min(open->writing);
    };
    while (!failure_ && written() < end_page) changed_.wait(mutex_);
    if (failure_) return *failure_;
    if (open->synced_pages >= end_page) return {};
    covered = written();
  }
  const Status synced = open->file.sync();
  os::Lock lock(mutex_);
  if (!synced.ok()) {
    fail(synced.error());
    return *failure_;
  }
  open->synced_pages = std::max(open->synced_pages, covered);
  return {};
}

// Seals full segments until no more than `leave` are left.
Status Log::seal_full(size_t leave) {
  for (;;) {
    OpenPtr oldest;
    uint32_t end_page = 0;
    {
      os::Lock lock(mutex_);
      size_t full = 0;
      for (const OpenPtr& open : open_) {
        if (!open->full || open->sealing) continue;
        ++full;
        if (!oldest) oldest = open;
      }
      if (full <= leave) return {};
      oldest->sealing = true;
      end_page = oldest->summary.end_page;
    }
    Status synced = sync_segment(oldest, end_page);
    if (!synced.ok()) {
      os::Lock lock(mutex_);
      oldest->sealing = false;
      return synced;
    }
    seal(oldest, false);
    TRY(sync_summaries(kMaxUnsyncedSummaries));
  }
}

// Writes the summary of a segment that is synced and takes no more appends. A summary that cannot
// be written is not missed before the next opening, which will walk the segment.
void Log::seal(const OpenPtr& open, bool appendable) {
  wire::Summary summary;
  {
    os::Lock lock(mutex_);
    summary = open->summary;
  }
  summary.appendable = appendable;
  std::ranges::sort(summary.records, {}, &wire::SummaryRecord::page);
  const std::string bytes = wire::encode_summary(summary, seed_);
  const uint64_t offset = superblock_.segment_bytes - bytes.size();
  const bool written = open->file.write(offset, as_bytes(bytes)).ok();
  if (written) open->file.start_writeback(offset, bytes.size());

  os::Lock lock(mutex_);
  std::erase(open_, open);
  segments_.seal(open->segment, appendable && written);
  const bool listed = std::ranges::any_of(unsynced_summaries_, [&open](const SegmentFile& file) {
    return file.shares_file_with(open->file);
  });
  if (written && !listed) unsynced_summaries_.push_back(open->file);
}

void Log::forget(const SegmentFile& file) {
  os::Lock lock(mutex_);
  std::erase_if(unsynced_summaries_,
                [&file](const SegmentFile& other) { return other.shares_file_with(file); });
}

Status Log::sync_summaries(size_t leave) {
  for (;;) {
    SegmentFile oldest;
    {
      os::Lock lock(mutex_);
      if (unsynced_summaries_.size() <= leave) return {};
      oldest = unsynced_summaries_.front();
      unsynced_summaries_.erase(unsynced_summaries_.begin());
    }
    TRY(oldest.sync());
  }
}

Status Log::close() {
  TRY(sync(Purpose::kTombstones));
  std::vector<OpenPtr> left;
  {
    os::Lock lock(mutex_);
    left = open_;
    for (const OpenPtr& open : left) open->full = open->sealing = true;
  }
  for (const OpenPtr& open : left) seal(open, true);
  return sync_summaries(0);
}

}  // namespace nacre::device
