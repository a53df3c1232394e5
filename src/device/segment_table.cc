#include "device/segment_table.h"

#include <algorithm>

#include "base/check.h"
#include "wire/segment_layout.h"

namespace nacre::device {
namespace {

// Cleaning is worth its writes when this part of a segment is dead, or only this part is used.
constexpr uint32_t kWorthDeadPart = 64;
constexpr uint32_t kSparseQuarters = 3;

// How many spare segments must remain for others.
uint32_t spares_to_leave(Purpose purpose) {
  switch (purpose) {
    case Purpose::kNew:
      return kReserveSegments;
    case Purpose::kTombstones:
      return kReserveSegments - 1;
    case Purpose::kMove:
      return 0;
  }
  return kReserveSegments;
}

}  // namespace

SegmentTable::SegmentTable(uint32_t segments, uint32_t segment_pages)
    : size_(segments), segment_pages_(segment_pages), slots_(new Slot[segments]) {
  os::Lock lock(mutex_);
  totals_.segments = segments;
  limit_ = segments;
}

void SegmentTable::limit(uint32_t segments) {
  os::Lock lock(mutex_);
  limit_ = segments;
}

SegmentTable::Segment SegmentTable::at(uint32_t segment) const {
  os::Lock lock(mutex_);
  return slots_[segment].segment;
}

SegmentTable::Totals SegmentTable::totals() const {
  os::Lock lock(mutex_);
  Totals totals = totals_;
  totals.spare = static_cast<uint32_t>(spare_.size());
  totals.absent = static_cast<uint32_t>(absent_.size());
  totals.over = existing() - std::min(limit_, existing());
  totals.creatable = std::min(totals.absent, limit_ - std::min(limit_, existing()));
  return totals;
}

void SegmentTable::unpin(uint32_t segment) {
  if (slots_[segment].pins.fetch_sub(1) > 1 || !waiting_for_pins_.load()) return;
  os::Lock lock(mutex_);
  unpinned_.notify_all();
}

std::optional<SegmentTable::Segment> SegmentTable::pin_in_use(uint32_t segment) {
  os::Lock lock(mutex_);
  const Segment& state = slots_[segment].segment;
  if (state.use != Use::kOpen && state.use != Use::kSealed) return std::nullopt;
  pin(segment);
  return state;
}

void SegmentTable::restore(uint32_t segment, const Segment& found) {
  os::Lock lock(mutex_);
  Slot& slot = slots_[segment];
  slot.segment = found;
  slot.generation = found.generation;
  slot.segment.appendable = false;
  set_appendable(slot.segment, found.appendable);
  if (found.use == Use::kDamaged) {
    ++totals_.damaged;
    slot.segment.has_stale = true;
  }
  if (slot.segment.has_stale) ++stale_segments_;
  if (found.end_page > 0) totals_.used_pages += found.end_page - 1;
}

void SegmentTable::finish_restore() {
  os::Lock lock(mutex_);
  for (uint32_t i = size_; i-- > 0;) {
    const Segment& segment = slots_[i].segment;
    if (segment.use == Use::kFree) (segment.exists ? spare_ : absent_).push_back(i);
  }
}

std::optional<SegmentTable::Taken> SegmentTable::take_free(Purpose purpose) {
  os::Lock lock(mutex_);
  Taken taken;
  if (spare_.size() > spares_to_leave(purpose)) {
    taken = {.segment = spare_.back(), .exists = true};
    spare_.pop_back();
  } else if (!absent_.empty() && existing() < limit_) {
    taken = {.segment = absent_.back(), .exists = false};
    absent_.pop_back();
  } else {
    return std::nullopt;
  }
  slots_[taken.segment].segment.use = Use::kOpening;
  return taken;
}

std::optional<uint32_t> SegmentTable::take_appendable(uint32_t room_pages) {
  os::Lock lock(mutex_);
  for (uint32_t i = 0; i < size_; ++i) {
    Segment& segment = slots_[i].segment;
    if (segment.use != Use::kSealed || !segment.appendable || segment.has_stale) continue;
    if (segment_pages_ - segment.end_page < room_pages) continue;
    set_appendable(segment, false);
    segment.use = Use::kOpen;
    return i;
  }
  return std::nullopt;
}

void SegmentTable::put_back_free(uint32_t segment, bool exists, int64_t now_ns) {
  os::Lock lock(mutex_);
  slots_[segment].segment.use = Use::kFree;
  slots_[segment].segment.exists = exists;
  slots_[segment].segment.free_since_ns = now_ns;
  (exists ? spare_ : absent_).push_back(segment);
}

void SegmentTable::put_back_sealed(uint32_t segment) {
  os::Lock lock(mutex_);
  slots_[segment].segment.use = Use::kSealed;
}

void SegmentTable::begin_use(uint32_t segment, uint64_t generation) {
  os::Lock lock(mutex_);
  Slot& slot = slots_[segment];
  CHECK(slot.segment.use == Use::kOpening);
  slot.segment =
      Segment{.use = Use::kOpen, .exists = true, .generation = generation, .end_page = 1};
  slot.generation = generation;
}

void SegmentTable::set_end(uint32_t segment, uint32_t end_page) {
  os::Lock lock(mutex_);
  Segment& changed = slots_[segment].segment;
  totals_.used_pages += int64_t{end_page} - int64_t{changed.end_page};
  changed.end_page = end_page;
}

void SegmentTable::seal(uint32_t segment, bool appendable) {
  os::Lock lock(mutex_);
  Segment& changed = slots_[segment].segment;
  CHECK(changed.use == Use::kOpen);
  changed.use = Use::kSealed;
  set_appendable(changed, appendable);
}

void SegmentTable::set_appendable(Segment& segment, bool appendable) {
  if (segment.appendable == appendable) return;
  segment.appendable = appendable;
  const int64_t room_pages = int64_t{segment_pages_} - segment.end_page;
  totals_.appendable_pages += appendable ? room_pages : -room_pages;
}

void SegmentTable::add_live(uint32_t segment, uint64_t generation, int64_t pages) {
  os::Lock lock(mutex_);
  Segment& changed = slots_[segment].segment;
  if (changed.use == Use::kFree || changed.generation != generation) return;
  changed.live_pages += pages;
  totals_.live_pages += pages;
}

void SegmentTable::add_tombstone(uint32_t target, uint64_t target_generation, uint32_t holder,
                                 uint64_t holder_generation) {
  os::Lock lock(mutex_);
  Slot& slot = slots_[target];
  if (slot.segment.use == Use::kFree || slot.segment.generation != target_generation) return;
  if (target == holder) return;  // they will go together
  ++slots_[holder].segment.live_tombstones;
  if (slot.held.empty() || slot.held.back().holder != holder ||
      slot.held.back().holder_generation != holder_generation) {
    slot.held.push_back({.holder = holder, .holder_generation = holder_generation, .count = 0});
  }
  ++slot.held.back().count;
}

bool SegmentTable::needs_tombstone(uint32_t target, uint64_t target_generation,
                                   std::optional<uint32_t> without) const {
  os::Lock lock(mutex_);
  if (stale_segments_ > 0) return true;
  if (target >= size_ || target == without) return false;
  const Segment& segment = slots_[target].segment;
  return segment.use != Use::kFree && segment.generation == target_generation;
}

uint32_t SegmentTable::live_pages_with_tombstones(const Segment& segment) const {
  const int64_t tombstone_pages =
      (std::max<int64_t>(segment.live_tombstones, 0) * wire::kTombstoneBytes +
       wire::kDevicePageBytes - 1) /
      wire::kDevicePageBytes;
  const int64_t pages = std::max<int64_t>(segment.live_pages, 0) + tombstone_pages;
  return static_cast<uint32_t>(std::min<int64_t>(pages, segment_pages_));
}

std::optional<SegmentTable::Candidate> SegmentTable::next_candidate(uint64_t before_generation) {
  os::Lock lock(mutex_);
  std::optional<Candidate> best;
  for (uint32_t i = 0; i < size_; ++i) {
    const Segment& segment = slots_[i].segment;
    if (segment.use != Use::kSealed || segment.stuck || segment.generation >= before_generation) {
      continue;
    }
    const uint32_t live_pages = live_pages_with_tombstones(segment);
    const uint32_t used_pages = segment.end_page - 1;
    const uint32_t dead_pages = used_pages > live_pages ? used_pages - live_pages : 0;
    const bool sparse = used_pages < segment_pages_ / 4 * kSparseQuarters;
    const bool worth = dead_pages >= std::max(1u, segment_pages_ / kWorthDeadPart) || sparse;
    if (!worth && !segment.has_stale) continue;
    const uint32_t gain_pages = segment_pages_ - live_pages;
    if (!segment.has_stale && best && gain_pages <= best->gain_pages) continue;
    best = Candidate{.segment = i, .generation = segment.generation, .gain_pages = gain_pages};
    if (segment.has_stale) break;
  }
  if (best) set_appendable(slots_[best->segment].segment, false);
  return best;
}

std::vector<uint32_t> SegmentTable::all_dead() {
  os::Lock lock(mutex_);
  std::vector<uint32_t> dead;
  if (stale_segments_ > 0) return dead;  // tombstones for their own records may be needed
  for (uint32_t i = 0; i < size_; ++i) {
    Segment& segment = slots_[i].segment;
    if (segment.use == Use::kSealed && !segment.stuck && segment.live_pages <= 0 &&
        segment.live_tombstones <= 0) {
      set_appendable(segment, false);
      dead.push_back(i);
    }
  }
  return dead;
}

void SegmentTable::set_stale(uint32_t segment) {
  os::Lock lock(mutex_);
  Segment& changed = slots_[segment].segment;
  if (!changed.has_stale) ++stale_segments_;
  changed.has_stale = true;
}

void SegmentTable::set_stuck(uint32_t segment) {
  os::Lock lock(mutex_);
  slots_[segment].segment.stuck = true;
}

// One caller at a time: the cleaner.
bool SegmentTable::begin_free(uint32_t segment, bool wait) {
  os::Lock lock(mutex_);
  Slot& slot = slots_[segment];
  CHECK(slot.segment.use == Use::kSealed);
  if (!wait && slot.pins.load() != 0) return false;
  slot.segment.use = Use::kFreeing;
  waiting_for_pins_ = true;
  while (slot.pins.load() != 0) unpinned_.wait(mutex_);
  waiting_for_pins_ = false;
  return true;
}

void SegmentTable::cancel_free(uint32_t segment) {
  set_stale(segment);
  os::Lock lock(mutex_);
  slots_[segment].segment.use = Use::kSealed;
  slots_[segment].segment.stuck = true;
}

void SegmentTable::free(uint32_t segment, int64_t now_ns) {
  os::Lock lock(mutex_);
  Slot& slot = slots_[segment];
  CHECK(slot.segment.use == Use::kFreeing && slot.pins.load() == 0);
  totals_.used_pages -= slot.segment.end_page - 1;
  totals_.live_pages -= slot.segment.live_pages;
  if (slot.segment.has_stale) --stale_segments_;
  set_appendable(slot.segment, false);
  slot.segment = Segment{.use = Use::kFree,
                         .exists = true,
                         .generation = slot.segment.generation,
                         .free_since_ns = now_ns};
  for (const HeldTombstones& held : slot.held) {
    Segment& holder = slots_[held.holder].segment;
    if (holder.generation == held.holder_generation) holder.live_tombstones -= held.count;
  }
  slot.held.clear();
  spare_.push_back(segment);
}

std::optional<uint32_t> SegmentTable::take_spare(uint32_t keep, int64_t before_ns) {
  os::Lock lock(mutex_);
  if (existing() > limit_) {
    keep = kReserveSegments;
    before_ns = INT64_MAX;
  }
  if (spare_.size() <= keep) return std::nullopt;
  const auto oldest = std::ranges::min_element(
      spare_, {}, [this](uint32_t segment) { return slots_[segment].segment.free_since_ns; });
  const uint32_t segment = *oldest;
  if (slots_[segment].segment.free_since_ns > before_ns) return std::nullopt;
  spare_.erase(oldest);
  return segment;
}

std::optional<uint32_t> SegmentTable::missing_reserve() {
  os::Lock lock(mutex_);
  if (spare_.size() >= kReserveSegments || absent_.empty()) return std::nullopt;
  if (existing() >= limit_) return std::nullopt;
  const uint32_t segment = absent_.back();
  absent_.pop_back();
  return segment;
}

}  // namespace nacre::device
