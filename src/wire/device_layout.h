// The superblock of a device: what it is, whose it is and how it is divided. The bytes are
// described in docs/format/device.md; this is the only place that writes or reads them. Pure
// functions, safe from any thread.
//
// A device is divided into pages of kDevicePageBytes; everything on it begins at a page. All
// other structures are in wire/segment_layout.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"

namespace nacre::wire {

inline constexpr uint32_t kDevicePageBytes = 4096;
// The part of a payload that one XXH64 covers.
inline constexpr uint32_t kChecksumPageBytes = 16384;
// Superblock and segment headers lie in the first sector of their page, so that a disk that
// writes sectors whole cannot tear them.
inline constexpr uint32_t kSectorBytes = 512;

inline constexpr uint64_t kMinSegmentBytes = 64 * kKiB;
inline constexpr uint64_t kMaxSegmentBytes = 4 * kGiB;
inline constexpr uint32_t kMinSegments = 8;
inline constexpr uint32_t kMaxSegments = 1u << 24;

using DeviceId = Id128<struct DeviceTag>;
using VolumeId = Id128<struct VolumeTag>;

// What a writer may have used. Unknown compat bits are ignored, unknown ro-compat bits allow
// reading only, unknown incompat bits refuse the device.
struct Features {
  uint64_t compat = 0;
  uint64_t ro_compat = 0;
  uint64_t incompat = 0;
  friend bool operator==(const Features&, const Features&) = default;
};
// Those of this version: none so far.
inline constexpr Features kKnownFeatures{};

enum class BackingKind : uint8_t {
  kDirectory = 1,  // one file per segment
  kImage = 2,      // a block device or a plain file, divided
};

struct Superblock {
  BackingKind backing = BackingKind::kDirectory;
  Features features = {};
  uint64_t generation = 0;  // of this superblock; of two good copies the higher one counts
  DeviceId device = {};
  VolumeId volume = {};
  uint32_t epoch = 0;  // how often the device was opened for writing
  uint32_t segment_count = 0;
  uint64_t segment_bytes = 0;
  uint64_t first_segment_bytes = 0;  // offset of segment 0; 0 in a directory
  uint64_t device_bytes = 0;         // size of the image when formatted; 0 in a directory
  Timestamp created = {};

  // True when a newer version used features that this one can read past but must not write over.
  bool must_stay_read_only() const { return (features.ro_compat & ~kKnownFeatures.ro_compat) != 0; }
  friend bool operator==(const Superblock&, const Superblock&) = default;
};

// One page. Its second and later sectors are zero.
std::string encode_superblock(const Superblock& superblock);
// From one page. kCorrupt when it is no superblock, is damaged or describes an impossible device;
// kNewerFormat when it needs a later version of Nacre.
Result<Superblock> decode_superblock(ByteView page);
// True when the page claims to be a superblock, whether good or damaged.
bool looks_like_superblock(ByteView page);

// The seed of every other checksum on the device, so that bytes of an earlier or another device
// are never taken for its own.
uint64_t checksum_seed(DeviceId device);

}  // namespace nacre::wire
