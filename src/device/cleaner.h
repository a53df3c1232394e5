// Makes segments free again: moves what still counts out of sparse ones into the log, makes it
// durable, and only then marks them free on disk. One cleaning at a time; thread-safe.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "device/segment_table.h"
#include "os/mutex.h"
#include "wire/segment_layout.h"

namespace nacre::device {

struct Core;
class SegmentFile;

class Cleaner {
 public:
  explicit Cleaner(Core& core) : core_(core) {}

  // Until `bytes` more are free for new records, or nothing is left to gain. Returns the gain.
  Result<uint64_t> clean(uint64_t bytes);
  // Frees segments in which nothing counts. Returns how many.
  Result<uint32_t> free_dead();
  // Gives spare segments back to the host, but for a few: those free for long, or all of them when
  // the device is closing.
  void release_spares(bool closing);

 private:
  // Holds the others off. Not a mutex: it is held during I/O.
  class Turn {
   public:
    explicit Turn(Cleaner& cleaner);
    ~Turn();

   private:
    Cleaner& cleaner_;
  };

  Result<uint32_t> free_dead_in_turn();
  Status clean_segment(const SegmentTable::Candidate& candidate);
  Status move_contents(const SegmentFile& file, const SegmentTable::Candidate& candidate);
  Status move_record(const SegmentFile& file, const SegmentTable::Candidate& candidate,
                     const wire::SummaryRecord& record);
  Status free_segment(const SegmentFile& file, const SegmentTable::Candidate& candidate);

  Core& core_;
  os::Mutex mutex_;  // a leaf
  os::CondVar idle_;
  bool busy_ GUARDED_BY(mutex_) = false;
};

}  // namespace nacre::device
