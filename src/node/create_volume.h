// Making a volume in a directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "codec/compress.h"
#include "device/device.h"
#include "node/tiered_blocks.h"
#include "node/volume_key.h"
#include "tier/recovery.h"
#include "wire/rows.h"
#include "wire/volume_layout.h"

namespace nacre::node {

struct CreateOptions {
  uint64_t block_size = 0;  // 0: 4 MiB, less on small volumes
  codec::Compression compression = codec::Compression::kNone;
  bool dedup = false;                     // identical content is stored once
  uint64_t capacity_bytes = 0;            // 0: what the host can spare
  std::vector<std::string> devices = {};  // absolute paths; none: a directory beside the superblock
  std::optional<RemoteSettings> remote = {};  // its blocks go to a bucket; no capacity then
  BucketSecret secret = {};                   // with one, what goes there is sealed
  Connect connect = connect_bucket;
  bool force = false;     // destroy what is there
  uint32_t root_uid = 0;  // who owns the root directory
  uint32_t root_gid = 0;
};

// Makes `directory`, if it is missing, a volume with an empty root, durable on return; what was
// made is removed again on failure. kNotEmpty and kExists say what is in the way where `force` is
// not set; kBusy: a process has the volume that is there; kInvalid: options that do not go
// together.
Result<wire::VolumeSuperblock> create_volume(device::Host host, const std::string& directory,
                                             const CreateOptions& options);

struct RecoverOptions {
  RemoteSettings remote = {};  // of the volume; epoch, compression and key are found out
  BucketSecret secret = {};    // with one, a bucket that is not sealed is refused
  Connect connect = connect_bucket;
  bool force = false;   // destroy what is there
  std::string at = {};  // WHEN, as users write it: the present becomes what it was then
};

struct RecoveredVolume {
  wire::VolumeSuperblock superblock = {};
  tier::Recovered rows = {};
  wire::StateRow state = {};  // of the last commit that the bucket has
  std::optional<Sequence> returned_to = {};
};

// Makes `directory` the volume that the bucket holds, as of the last commit that was uploaded, with
// nothing of its content on the disk. From then on no other copy of the volume may write to the
// bucket. Errors as of create_volume(); kNotFound when the bucket has no volume, or none that got
// as far as its first checkpoint. With `at`, all history is there nevertheless; a moment that it
// does not know is refused before anything is changed, here or in the bucket: see meta::resolve().
Result<RecoveredVolume> recover_volume(device::Host host, const std::string& directory,
                                       const RecoverOptions& options,
                                       const tier::RecoveryProgress& progress);

}  // namespace nacre::node
