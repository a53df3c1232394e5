// The space of a volume: what there is, and who may take it.
//
// Writers take space before their data is buffered. Data in the kernel's write-back cache is not
// here yet; while space is scarce it has been promised room (promises.h), and what is promised is
// out of reach for others.
#include <algorithm>

#include "fs/volume.h"

namespace nacre::fs {
namespace {

constexpr uint64_t kRowsPerData =
    64;  // rows and heads that come with data may take this part of it
constexpr uint64_t kSpaceStep = 32 * kMiB;  // reserved between two looks at the stores
// More than the kernel buffers for one file system: it bounds dirty pages to a hundredth of what it
// would allow a disk, about 0.2 % of memory.
constexpr uint64_t kScarceBytes = 256 * kMiB;

// Kept free so that removals, their rows and cleaning always find room.
uint64_t slack_of(uint64_t capacity_bytes) {
  return std::clamp<uint64_t>(capacity_bytes / 64, 2 * kMiB, 256 * kMiB);
}

// Bytes of blocks that the present needs, as well as it is known. Where content is shared, what it
// needs stands for its part of all that is referred to, history included.
uint64_t live_of(const wire::StateRow& state, uint64_t stored_bytes) {
  double live = static_cast<double>(state.live_bytes);
  const uint64_t referenced = state.referenced_bytes.value_or(0);
  if (referenced > stored_bytes) {
    live *= static_cast<double>(stored_bytes) / static_cast<double>(referenced);
  }
  return std::min(static_cast<uint64_t>(live), stored_bytes);
}

}  // namespace

VolumeUsage Volume::usage() {
  VolumeUsage usage;
  const block::Space space = blocks_.space();
  if (auto rows = rows_store_.usage(); rows.ok()) usage.rows = rows->disk_bytes;
  usage.capacity = std::min(settings_.capacity_bytes, space.capacity_bytes + usage.rows);
  usage.used = space.live_bytes + usage.rows;
  {
    const os::SharedLock lock(lock_);
    usage.live = live_of(state_, space.live_bytes);
    usage.referenced = state_.referenced_bytes;
    usage.inodes = state_.inodes;
  }
  usage.reclaimable = space.live_bytes - usage.live;
  usage.dirty = memory_.used();
  const uint64_t by_capacity = usage.capacity - std::min(usage.capacity, usage.used);
  const uint64_t by_device = space.free_bytes + (space.used_bytes - space.live_bytes);
  const uint64_t free = std::min(by_capacity, by_device);
  const uint64_t room = free + usage.reclaimable - std::min(free + usage.reclaimable, usage.dirty);
  usage.slack = std::min(room, slack_of(usage.capacity));
  usage.available = room - usage.slack;
  return usage;
}

void Volume::refresh_space() {
  const VolumeUsage now = usage();
  const os::Lock lock(space_mutex_);
  space_free_ = now.available - std::min(now.available, now.reclaimable);
  space_reserved_ = 0;
  // The lower half is for what asks nobody: removals, their rows and cleaning.
  space_slack_ = now.slack - std::min(now.slack, slack_of(now.capacity) / 2);
  scarce_.store(now.available < kScarceBytes, std::memory_order_relaxed);
}

bool Volume::try_reserve(uint64_t bytes) {
  const os::Lock lock(space_mutex_);
  if (space_free_ < bytes + promises_.total() || space_reserved_ > kSpaceStep) return false;
  space_free_ -= bytes;
  space_reserved_ += bytes;
  return true;
}

bool Volume::try_reserve_from_slack(uint64_t bytes) {
  const os::Lock lock(space_mutex_);
  if (space_slack_ < bytes) return false;
  space_slack_ -= bytes;
  return true;
}

bool Volume::try_promise(InodeId ino, uint64_t bytes) {
  const os::Lock lock(space_mutex_);
  const uint64_t wanted = bytes + promises_.total();
  if (space_free_ < wanted + wanted / kRowsPerData) return false;
  promises_.add(ino, bytes);
  return true;
}

// Looks for room until `fits` takes it. History is given up first.
Status Volume::find_room(uint64_t bytes, const std::function<bool()>& fits) {
  if (fits()) return {};
  refresh_space();
  if (fits()) return {};
  // Room may be hidden: in dirty buffers laid over each other, in dead records, in history.
  for (int attempt = 0; attempt < 3; ++attempt) {
    TRY(commit());
    if (fits()) return {};
    const uint64_t wanted = std::max(bytes, kSpaceStep);
    uint64_t gained = TRY(blocks_.clean(wanted));
    if (reclaim_) gained += reclaim_(wanted);
    refresh_space();
    if (fits()) return {};
    if (gained == 0) break;
  }
  return Error(Code::kNoSpace, "the volume is full");
}

// Space for `bytes` more of dirty data, or kNoSpace: before anything is buffered.
Status Volume::reserve(uint64_t bytes) {
  return find_room(bytes, [&] { return try_reserve(bytes); });
}

Status Volume::reserve_with_slack(uint64_t bytes) {
  Status reserved = reserve(bytes);
  if (!reserved.ok() && reserved.code() == Code::kNoSpace && try_reserve_from_slack(bytes)) {
    return {};
  }
  return reserved;
}

// For bytes that may have been promised room: then it is theirs. What no promise foresaw, as the
// rest of a page, may come out of the slack.
Status Volume::reserve_promised(InodeId ino, uint64_t bytes) {
  {
    const os::Lock lock(space_mutex_);
    const uint64_t promised = promises_.use(ino, bytes);
    space_free_ -= std::min(space_free_, promised);
    bytes -= promised;
  }
  return bytes == 0 ? Status() : reserve_with_slack(bytes);
}

Status Volume::admit_write(InodeId ino, uint64_t bytes) {
  if (is_read_only()) return Code::kReadOnly;
  return find_room(bytes, [&] { return try_promise(ino, bytes); });
}

std::vector<InodeId> Volume::age_promises() {
  const os::Lock lock(space_mutex_);
  return promises_.age();
}

void Volume::drop_aged_promises() {
  const os::Lock lock(space_mutex_);
  promises_.drop_aged();
}

}  // namespace nacre::fs
