// The superblock of a volume, the file nacre.volume: whose it is, how it stores, and where its
// devices are. The bytes are described in docs/format/volume.md; this is the only place that writes
// or reads them. Pure functions, safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"
#include "codec/compress.h"
#include "wire/device_layout.h"

namespace nacre::wire {

inline constexpr uint64_t kMinBlockSize = 64 * kKiB;
inline constexpr uint64_t kMaxBlockSize = 64 * kMiB;
inline constexpr size_t kMaxVolumeDevices = 256;
inline constexpr size_t kMaxDevicePathBytes = 4095;
// No superblock is longer, so nobody need read more.
inline constexpr size_t kMaxVolumeSuperblockBytes = 2 * kMiB;

// Some blocks of the volume are in a bucket alone: the file nacre.remote says where.
inline constexpr uint64_t kVolumeIsTiered = 1;  // incompat
// Identical content is stored once: who does not know the rows of fingerprints must not write.
inline constexpr uint64_t kVolumeHasFingerprints = 1;  // ro-compat
// What a later version may add, by the same rules as on devices.
inline constexpr Features kKnownVolumeFeatures{.ro_compat = kVolumeHasFingerprints,
                                               .incompat = kVolumeIsTiered};

struct VolumeDevice {
  DeviceId id = {};
  std::string path;  // absolute; empty: the directory `data` beside the superblock
  friend bool operator==(const VolumeDevice&, const VolumeDevice&) = default;
};

struct VolumeSuperblock {
  Features features;
  uint64_t generation = 0;  // of this superblock; of two good copies the higher one counts
  VolumeId volume = {};
  Timestamp created = {};
  uint64_t block_size = 4 * kMiB;  // a power of two
  codec::Compression compression = codec::Compression::kNone;
  uint64_t capacity_bytes = 0;            // blocks and rows together; 0: what the host can spare
  std::array<uint8_t, 16> name_key = {};  // secret: scatters names over cookies
  std::vector<VolumeDevice> devices;      // at least one

  // True when a newer version used features that this one can read past but must not write over.
  bool must_stay_read_only() const {
    return (features.ro_compat & ~kKnownVolumeFeatures.ro_compat) != 0;
  }
  bool has_fingerprints() const { return (features.ro_compat & kVolumeHasFingerprints) != 0; }
  bool is_tiered() const { return (features.incompat & kVolumeIsTiered) != 0; }
  friend bool operator==(const VolumeSuperblock&, const VolumeSuperblock&) = default;
};

// The whole file.
std::string encode_volume_superblock(const VolumeSuperblock& superblock);
// From the whole file. kCorrupt when it is no superblock, is damaged or describes an impossible
// volume; kNewerFormat when it needs a later version of Nacre.
Result<VolumeSuperblock> decode_volume_superblock(ByteView file);

}  // namespace nacre::wire
