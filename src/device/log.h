// Where a device appends: the open segments, and what it takes to make appends durable.
// Thread-safe. No lock is held during I/O.
//
// An append reserves its pages under a short lock, writes them with one call, and only then counts
// as done; so several run in parallel, in one segment or in several. sync() waits for the appends
// begun before it, then syncs each segment written to, sharing the work with concurrent callers.
// A segment is full when nothing more fits; the next sync seals it with its summary. What is
// sealed was synced before, so a summary never lists what a power cut could lose.
//
// A failed sync is final: the host may have dropped what it could not write. So is a failed write,
// but for want of space. All later appends and syncs fail with kIo until the device is opened anew.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "device/backing.h"
#include "device/index.h"
#include "device/segment_table.h"
#include "os/mutex.h"
#include "wire/segment_layout.h"

namespace nacre::device {

class Log {
 public:
  struct Start {
    uint64_t generation = 0;  // the first for new uses of segments
    uint64_t sequence = 0;    // the first for new records
  };

  Log(std::string device_name, const wire::Superblock& superblock, Backing& backing,
      SegmentTable& segments, Start start);

  // Writes a record. `head` is laid out and has its checksums; generation, page, pages durable
  // so far and sequence are filled in, and so is a birth of 0. `publish` runs when the bytes are
  // written and before the segment may be sealed. kNoSpace when `purpose` may not have more.
  Result<Place> append(wire::RecordHead& head, std::span<const ByteView> parts, Purpose purpose,
                       const std::function<void(const Place&)>& publish);

  // Remembers a removal; the next sync writes it. Returns how many wait so.
  size_t bury(const wire::Tombstone& tombstone);
  // Writes the removals remembered so far; they are durable after the next sync.
  Status flush_tombstones(Purpose purpose);

  // On return every append and removal that returned before the call is durable. `tombstones` is
  // the purpose their record is written for.
  Status sync(Purpose tombstones);
  // False when sync() would find everything durable.
  bool has_unsynced();
  // sync(), then seals every open segment, so that opening need not walk it. No appends after it.
  Status close();

  // The file is synced, or given up: nothing in it waits to be synced.
  void forget(const SegmentFile& file);

  // The records of a segment that is open; nothing if it is not.
  std::optional<wire::Summary> contents(uint32_t segment);
  // Pages left in open segments that new blocks may use.
  uint64_t room_pages();
  // The generation that the next segment will get.
  uint64_t next_generation();
  // How many segments were opened so far for moved records and removals.
  uint64_t opened_for_moves();
  // Why nothing can be appended any more, if something has failed.
  std::optional<Error> failure();

 private:
  // A segment that takes appends. Its fields are guarded by mutex_, but for the constants.
  struct OpenSegment {
    uint32_t segment = 0;
    SegmentFile file;
    bool for_moves = false;
    wire::Summary summary;          // grows with what is written; end_page is where the next goes
    uint64_t records = 0;           // written and being written
    uint64_t tombstones = 0;        // likewise
    uint32_t synced_pages = 1;      // everything before is durable
    std::vector<uint32_t> writing;  // pages where appends under way begin
    bool full = false;
    bool sealing = false;
  };
  using OpenPtr = std::shared_ptr<OpenSegment>;
  struct Reservation {
    OpenPtr open;
    uint32_t page = 0;
  };

  Result<Reservation> reserve(wire::RecordHead& head, uint32_t tombstones, Purpose purpose);
  OpenPtr choose(uint32_t pages, uint32_t tombstones, Purpose purpose) REQUIRES(mutex_);
  bool has_room(const OpenSegment& open, uint32_t pages, uint32_t tombstones) const;
  size_t count_open(bool for_moves) REQUIRES(mutex_);
  bool may_spread(Purpose purpose) REQUIRES(mutex_);
  void make_room_for_another(bool for_moves) REQUIRES(mutex_);
  Reservation take_pages(const OpenPtr& open, wire::RecordHead& head, uint32_t tombstones)
      REQUIRES(mutex_);
  void finish(const Reservation& reservation, const wire::RecordHead* written,
              std::span<const wire::Tombstone> tombstones);
  void fail(const Error& error) REQUIRES(mutex_);
  Result<Place> append_record(wire::RecordHead& head, std::span<const ByteView> parts,
                              std::span<const wire::Tombstone> tombstones, Purpose purpose,
                              const std::function<void(const Place&)>& publish);

  Result<OpenPtr> open_segment(Purpose purpose, uint32_t pages);
  Result<OpenPtr> open_free(Purpose purpose);
  Result<OpenPtr> resume(uint32_t segment);

  Status write_tombstones(std::span<const wire::Tombstone> tombstones, Purpose purpose);
  Status sync_segment(const OpenPtr& open, uint32_t end_page);
  void seal(const OpenPtr& open, bool appendable);
  Status seal_full(size_t leave);
  Status sync_summaries(size_t leave);

  const std::string device_name_;
  const wire::Superblock superblock_;
  const uint64_t seed_;
  const uint32_t segment_pages_;
  const size_t max_open_;
  Backing& backing_;
  SegmentTable& segments_;

  os::Mutex mutex_;  // before SegmentTable's
  os::CondVar changed_;
  std::vector<OpenPtr> open_ GUARDED_BY(mutex_);  // full ones too, until they are sealed
  bool opening_ GUARDED_BY(mutex_) = false;       // one caller at a time opens a segment
  uint64_t next_generation_ GUARDED_BY(mutex_);
  uint64_t next_sequence_ GUARDED_BY(mutex_);
  uint64_t opened_for_moves_ GUARDED_BY(mutex_) = 0;
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  std::vector<wire::Tombstone> buried_ GUARDED_BY(mutex_);  // not yet written
  bool burying_ GUARDED_BY(mutex_) = false;                 // one caller at a time writes them
  std::vector<SegmentFile> unsynced_summaries_ GUARDED_BY(mutex_);
};

}  // namespace nacre::device
