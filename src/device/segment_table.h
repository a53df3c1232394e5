// What every segment of a device is in use for, and how much of it still counts. Thread-safe.
//
// A segment goes free → opening → open → sealed → freeing → free. While opening and open it belongs
// to the Log, and while open it takes appends; while sealed it is only read. It becomes free when
// nothing in it counts and its header on disk says so durably; then it may be used again under a
// new generation.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "os/mutex.h"

namespace nacre::device {

enum class Use : uint8_t {
  kFree,
  kOpening,  // taken, but its header on disk may not say so yet
  kOpen,
  kSealed,
  kFreeing,  // nothing in it counts, but its header on disk may not say so yet
  kDamaged,  // its content is unknown; kept out of use
};

// What an append is for decides how far it may go into the last free segments.
enum class Purpose {
  kNew,         // a block of a caller: leaves the reserve alone
  kTombstones,  // removals: may take from the reserve, but not all
  kMove,        // cleaning: may take the last, since it gives back more
};

// Free segments that new blocks may not take, so that a full device can remove and clean.
inline constexpr uint32_t kReserveSegments = 3;

class SegmentTable {
 public:
  struct Segment {
    Use use = Use::kFree;
    bool exists = false;      // has space on the host
    bool appendable = false;  // sealed in good order with room left
    bool stuck = false;       // cleaning it failed
    bool has_stale = false;   // may hold a copy of a record that lives or lived elsewhere
    uint64_t generation = 0;
    uint32_t end_page = 0;  // first page not used by records; 0 when free
    int64_t live_pages = 0;
    int64_t live_tombstones = 0;
    int64_t free_since_ns = 0;
  };
  struct Taken {
    uint32_t segment = 0;
    bool exists = false;
  };
  struct Totals {
    uint32_t segments = 0;
    uint32_t damaged = 0;
    uint32_t spare = 0;      // free, with space on the host
    uint32_t absent = 0;     // free, without
    uint32_t over = 0;       // with space on the host, beyond the limit
    uint32_t creatable = 0;  // of the absent, those that the limit leaves
    int64_t used_pages = 0;
    int64_t live_pages = 0;
    int64_t appendable_pages = 0;  // behind the records of appendable segments
  };
  struct Candidate {
    uint32_t segment = 0;
    uint64_t generation = 0;
    uint32_t gain_pages = 0;  // the segment's pages less what must move
  };

  SegmentTable(uint32_t segments, uint32_t segment_pages);

  // How many segments may have space on the host. More may have it when the limit falls: then spare
  // ones are there to be given back.
  void limit(uint32_t segments);

  uint32_t size() const { return size_; }
  uint32_t segment_pages() const { return segment_pages_; }
  Segment at(uint32_t segment) const;
  Totals totals() const;
  // Of the segment's present or last use. Lock-free.
  uint64_t generation(uint32_t segment) const { return slots_[segment].generation.load(); }

  // Readers. A pinned segment is not used again. To pin, something must keep the segment from
  // being freed at that moment: the lock of an index entry that points into it.
  void pin(uint32_t segment) { slots_[segment].pins.fetch_add(1); }
  void unpin(uint32_t segment);
  // Pins it and says what it is, if it is open or sealed.
  std::optional<Segment> pin_in_use(uint32_t segment);

  // Opening a device: what recovery found, then once finish_restore(). Segments it does not name
  // are free and absent.
  void restore(uint32_t segment, const Segment& found);
  void finish_restore();

  // A free segment for a new use, now kOpening; nothing when `purpose` may not have one.
  std::optional<Taken> take_free(Purpose purpose);
  // A sealed, appendable segment with at least `room_pages` behind its records, now kOpen.
  std::optional<uint32_t> take_appendable(uint32_t room_pages);
  // Takes one that take_*() gave back to what it was.
  void put_back_free(uint32_t segment, bool exists, int64_t now_ns = 0);
  void put_back_sealed(uint32_t segment);
  // Its header says so on disk: now kOpen.
  void begin_use(uint32_t segment, uint64_t generation);
  void set_end(uint32_t segment, uint32_t end_page);
  void seal(uint32_t segment, bool appendable);

  // Records. Ignored unless the segment is still in that use.
  void add_live(uint32_t segment, uint64_t generation, int64_t pages);

  // Tombstones: `holder` holds one for a record in `target`.
  void add_tombstone(uint32_t target, uint64_t target_generation, uint32_t holder,
                     uint64_t holder_generation);
  // True while the record that a tombstone names may be found on disk, once `without`, if given,
  // is free.
  bool needs_tombstone(uint32_t target, uint64_t target_generation,
                       std::optional<uint32_t> without = std::nullopt) const;

  // Cleaning. The sealed segment that gives back most, of those in use since before
  // `before_generation`; ones with stale copies first. Nothing if none gives enough. It takes no
  // more appends.
  std::optional<Candidate> next_candidate(uint64_t before_generation);
  // Sealed segments in which nothing counts. They take no more appends.
  std::vector<uint32_t> all_dead();
  // It holds copies of records that live elsewhere. While there is such a segment, no tombstone is
  // given up.
  void set_stale(uint32_t segment);
  // It cannot be cleaned.
  void set_stuck(uint32_t segment);
  // Nothing in a sealed segment counts any more: keeps out new readers. False, and nothing is
  // changed, if it has readers and `wait` is off.
  bool begin_free(uint32_t segment, bool wait);
  // Its header says so on disk, durably. Releases the tombstones kept for its records.
  void free(uint32_t segment, int64_t now_ns);
  // The header could not be written: sealed again, stale and stuck.
  void cancel_free(uint32_t segment);
  // A spare one, free since `before_ns` or earlier, beyond `keep` of them; over the limit, one that
  // is not needed as a reserve. The caller gives its space back to the host and then calls
  // put_back_free().
  std::optional<uint32_t> take_spare(uint32_t keep, int64_t before_ns);
  // An absent segment to make a spare of, while there are fewer than the reserve. As above.
  std::optional<uint32_t> missing_reserve();

 private:
  struct HeldTombstones {
    uint32_t holder = 0;
    uint64_t holder_generation = 0;
    int64_t count = 0;
  };
  struct Slot {
    std::atomic<uint32_t> pins = 0;
    std::atomic<uint64_t> generation = 0;  // of `segment` below, readable without the lock
    Segment segment;                       // guarded by mutex_
    std::vector<HeldTombstones> held;      // for records in this segment; guarded by mutex_
  };

  uint32_t existing() const REQUIRES(mutex_) {
    return size_ - static_cast<uint32_t>(absent_.size());
  }
  uint32_t live_pages_with_tombstones(const Segment& segment) const;
  void set_appendable(Segment& segment, bool appendable) REQUIRES(mutex_);

  const uint32_t size_;
  const uint32_t segment_pages_;
  mutable os::Mutex mutex_;  // a leaf; guards the slots but for their atomics
  os::CondVar unpinned_;
  std::atomic<bool> waiting_for_pins_ = false;
  const std::unique_ptr<Slot[]> slots_;
  Totals totals_ GUARDED_BY(mutex_);
  uint32_t limit_ GUARDED_BY(mutex_);
  uint32_t stale_segments_ GUARDED_BY(mutex_) = 0;
  std::vector<uint32_t> spare_ GUARDED_BY(mutex_);  // taken from the back, like absent_
  std::vector<uint32_t> absent_ GUARDED_BY(mutex_);
};

}  // namespace nacre::device
