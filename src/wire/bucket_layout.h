// The two small objects of a bucket that say whose it is: the descriptor of the volume, of which
// the one with the highest generation counts, and an epoch, which names who writes. The bytes are
// described in docs/format/bucket.md; this is the only place that writes or reads them. Pure
// functions, safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"
#include "codec/compress.h"
#include "codec/key_wrap.h"
#include "codec/protection.h"
#include "wire/device_layout.h"
#include "wire/volume_layout.h"

namespace nacre::wire {

// No descriptor or epoch is longer, so nobody need read more.
inline constexpr size_t kMaxDescriptorObjectBytes = 4096;
inline constexpr size_t kMaxHostNameBytes = 255;

// What a later version may add, by the same rules as on devices.
inline constexpr Features kKnownBucketFeatures{.ro_compat = kVolumeHasFingerprints};

// Scatters names over cookies; as in the superblock of the volume.
using NameKey = std::array<uint8_t, 16>;

struct BucketVolume {
  Features features = {};
  uint32_t generation = 0;  // of this descriptor
  VolumeId volume = {};
  Timestamp created = {};
  uint64_t block_size = 4 * kMiB;  // a power of two
  codec::Compression compression = codec::Compression::kNone;
  std::optional<codec::WrappedKey> key = {};  // none: the volume is not sealed

  // True when a newer version used features that this one can read past but must not write over.
  bool must_stay_read_only() const {
    return (features.ro_compat & ~kKnownBucketFeatures.ro_compat) != 0;
  }
  friend bool operator==(const BucketVolume&, const BucketVolume&) = default;
};

// The associated data of the wrapped key: the id.
std::string key_associated(VolumeId volume);

// `protection` is that of the key, or a checksum when there is none.
std::string encode_bucket_volume(const BucketVolume& volume, const NameKey& name_key,
                                 const codec::Protection& protection);
// All that is known without the key, of which nobody but open_name_key() can say that it was not
// forged. kCorrupt when it is no descriptor, is damaged or describes an impossible volume;
// kNewerFormat when it needs a later version of Nacre.
Result<BucketVolume> decode_bucket_volume(ByteView object);
// The secret of the same object. kCorrupt when any byte of it was changed by somebody without the
// key; kAccess when `protection` lacks the key.
Result<NameKey> open_name_key(ByteView object, const codec::Protection& protection);

using WriterId = Id128<struct WriterTag>;

struct EpochObject {
  VolumeId volume = {};
  uint32_t epoch = 0;
  Timestamp begun = {};
  WriterId writer = {};  // random, of one run of one program
  std::string host;      // for people: printable, at most kMaxHostNameBytes
  friend bool operator==(const EpochObject&, const EpochObject&) = default;
};

// A host name that is too long, or has bytes that are not printable, is cut or has them replaced.
std::string encode_epoch(const EpochObject& epoch);
// kCorrupt when it is damaged, or is another epoch or another volume's.
Result<EpochObject> decode_epoch(ByteView object, VolumeId volume, uint32_t epoch);

}  // namespace nacre::wire
