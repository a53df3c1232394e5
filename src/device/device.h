// One device of a volume: a crash-safe log of checksummed records in a directory, a plain file or
// a block device. It holds fragments of blocks by (block id, fragment index); a volume without
// redundancy stores each block as its fragment 0. The format is docs/format/device.md.
//
// Every method may be called from any thread; several puts, reads, removals, syncs and one
// cleaning run in parallel. A put is readable when it returns and durable after the next sync().
// Every read verifies the bytes it returns. The process that opened a device for writing has it to
// itself.
//
// Errors name the device, and for stored bytes the segment and the byte in it: kCorrupt when they
// fail their checksum, kIo when the host cannot read or write; both are counted in health().
// After a failed write or sync nothing more can be written until the device is opened anew; running
// out of space is no such failure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "wire/device_layout.h"

namespace nacre::device {

using wire::BackingKind;
using wire::DeviceId;
using wire::VolumeId;

// The machine under a device; outlives it.
struct Host {
  os::FileSystem& files;
  os::Clock& clock;
  os::Random& random;
};

struct FormatOptions {
  VolumeId volume = {};
  // Destroy what is there. Without it, anything there is an error that says what it is.
  bool force = false;
  // What to make where nothing is; a directory if not given. What is there is taken as it is.
  std::optional<BackingKind> backing = {};
  // Of a directory: the most it may take of the host; 0: as much as the host has. Of a plain file
  // to be made: its size. Of an image that is there: 0, or the size it has.
  uint64_t capacity_bytes = 0;
  // 0 chooses: 64 MiB, less on small devices and more on large ones. A segment must hold at least
  // eight blocks, and a device at least eight segments.
  uint64_t segment_bytes = 0;
  uint64_t block_bytes = 4 * kMiB;
};

struct OpenOptions {
  std::optional<VolumeId> volume = {};  // refuse a device of another one
  bool read_only = false;
  uint64_t head_cache_bytes = 16 * kMiB;
};

struct Identity {
  DeviceId device = {};
  VolumeId volume = {};
  BackingKind backing = BackingKind::kDirectory;
  uint64_t segment_bytes = 0;
  uint32_t segment_count = 0;
  Timestamp created = {};
};

// What the owner of a fragment wants to be kept with it. The device passes it through.
struct Descriptor {
  uint32_t logical_bytes = 0;  // before compression and sealing
  uint8_t compression = 0;     // codec::Compression
  uint8_t sealing = 0;
  ByteView extra = {};  // at most wire::kMaxDescriptorBytes
};

struct FragmentInfo {
  uint32_t logical_bytes = 0;  // as the descriptor said
  uint32_t payload_bytes = 0;  // as put
  uint64_t device_bytes = 0;   // with header, checksums and padding
};

struct Space {
  uint64_t capacity_bytes = 0;  // what records may fill
  uint64_t used_bytes = 0;      // records with their headers, live and dead
  uint64_t live_bytes = 0;      // records not removed
  uint64_t free_bytes = 0;      // for new records now, without cleaning
  uint64_t over_bytes = 0;      // of the host, beyond what it may take: cleaning gives it back
};

struct Health {
  uint64_t corrupt_reads = 0;  // since opened
  uint64_t io_errors = 0;
  uint32_t damaged_segments = 0;  // found when opened: content unknown, kept out of use
  uint32_t lost_places = 0;       // found when opened: durable records of which nothing is left
  uint32_t torn_records = 0;      // found when opened: not durable when the power went; left out
  uint32_t bad_superblocks = 0;   // found when opened, and mended
  bool failed = false;            // a write or sync failed: takes no more writes
};

struct Usage {
  uint64_t records = 0;
  uint64_t index_bytes = 0;
  uint64_t head_cache_bytes = 0;
};

// Where bytes of a fragment lie.
struct Spot {
  uint32_t segment = 0;
  uint64_t offset_bytes = 0;  // in the segment
};

struct Problem {
  uint32_t segment = 0;
  uint64_t offset_bytes = 0;       // in the segment
  std::optional<BlockId> id = {};  // of the fragment it hurts, if known
  uint16_t fragment = 0;
  std::string what = {};
};

struct CheckReport {
  uint64_t segments = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;  // of payload read
  uint64_t problems = 0;
};

struct Core;

// A fragment found. While it lives, cleaning leaves its bytes in place: keep it briefly, and do not
// call clean() or sync() while holding it, since they may wait for it to go. It must not outlive
// its device. For any thread.
class Fragment {
 public:
  Fragment(Fragment&& other) noexcept;
  Fragment& operator=(Fragment&&) = delete;
  ~Fragment();

  uint32_t payload_bytes() const;
  // As put; views live as long as this.
  Descriptor descriptor() const;
  // Fills `into` with the payload from `offset`. kOutOfRange past the end.
  Status read(uint64_t offset, MutableBytes into) const;

 private:
  friend class Device;
  struct State;
  explicit Fragment(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Device {
 public:
  // Makes an empty device of what is at `path`. kExists if something is there and force is off;
  // kBusy if it is in use; kInvalid if it is too small.
  static Result<Identity> format(Host host, const std::string& path, const FormatOptions& options);
  // From then on there is no device at `path`, durable on return; what was put stays in an image,
  // where nobody finds it, until something else is written there. No error where there is no
  // device; kInvalid for a device of another volume; kBusy; kCorrupt.
  static Status erase(Host host, const std::string& path, VolumeId volume);
  // kNotFound if there is nothing; kCorrupt if no superblock is good; kNewerFormat; kBusy if
  // another holds it; kInvalid for a device of another volume; kReadOnly if a later version left
  // it so that this one may only read.
  static Result<std::unique_ptr<Device>> open(Host host, const std::string& path,
                                              const OpenOptions& options);
  // Without close() the device is left as by a crash of the process.
  ~Device();

  const std::string& name() const;
  Identity identity() const;

  // Stores the concatenation of `parts`. kExists for a fragment already stored; kNoSpace; kTooBig
  // if it does not fit into a segment.
  Status put(BlockId id, uint16_t fragment, std::span<const ByteView> parts,
             const Descriptor& descriptor);
  // kNotFound for one that is not stored.
  Result<Fragment> find(BlockId id, uint16_t fragment);
  // find() and read() in one.
  Status read(BlockId id, uint16_t fragment, uint64_t offset, MutableBytes into);
  // Forgets the fragment. Idempotent. Durable after the next sync(); works on a full device.
  Status remove(BlockId id, uint16_t fragment);
  // On return every put and removal that returned before the call is durable.
  Status sync();
  // False when sync() would find everything durable.
  bool has_unsynced();

  Result<FragmentInfo> info(BlockId id, uint16_t fragment);
  // Every fragment stored, in no order, until `visit` returns false. It may call the device.
  void list(const std::function<bool(BlockId, uint16_t, const FragmentInfo&)>& visit);
  Space space();
  Health health();
  Usage usage();

  // Moves live records out of sparse segments until `bytes` more are free for new records or
  // nothing is left to gain. One at a time; others wait. Returns the bytes gained. Space that has
  // long been free in a directory goes back to the host.
  Result<uint64_t> clean(uint64_t bytes);
  // For a device in a directory: from now on it takes no more than `bytes` of the host for records,
  // rounded down to segments, of which it needs eight. What it has above that it gives back as
  // cleaning frees it. Forgotten when the device is closed.
  void limit(uint64_t bytes);
  // What it takes of the host for records now.
  uint64_t host_bytes();
  // Verifies segment headers, summaries and record headers, and with `deep` every byte of payload.
  // Damage is reported through `report`, and fails nothing.
  Result<CheckReport> check(bool deep, const std::function<void(const Problem&)>& report);
  // For tests of what notices damage and mends it: inverts `count` bytes of the payload from
  // `offset` where they lie, under their checksums, durably. Done again it is undone. kNotFound;
  // kOutOfRange unless there are bytes to invert, and the fragment has them all.
  Result<Spot> flip(BlockId id, uint16_t fragment, uint64_t offset, uint64_t count);

  // sync(), and leaves the device so that opening it again is quick. Nothing may be called after.
  Status close();

 private:
  explicit Device(std::unique_ptr<Core> core);
  const std::unique_ptr<Core> core_;
};

}  // namespace nacre::device
