// Where a tiered volume has its bucket, and how it uses it: the file nacre.remote beside the
// superblock, docs/format/volume.md. It holds the key that seals what is in the bucket, so only its
// owner may read it; credentials are never in it. Stateless; the caller holds the volume's lock
// when it writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "bucket/url.h"
#include "codec/compress.h"
#include "codec/seal.h"
#include "os/file_system.h"

namespace nacre::node {

inline constexpr uint64_t kLeastCacheBytes = 64 * kMiB;

struct RemoteSettings {
  bucket::BucketUrl bucket = {};
  bucket::Endpoint endpoint = {};
  std::string region = {};            // empty: what the endpoint's name says
  bool virtual_hosted = false;        // the bucket's name is in front of the endpoint's
  std::string credentials_file = {};  // absolute; empty: environment or ~/.aws/credentials
  std::string ca_file = {};           // absolute; certificates to trust instead of the system's
  uint64_t cache_bytes = 0;           // what the volume may take of the host
  codec::Compression compression = codec::Compression::kZstd;  // of packs
  uint32_t epoch = 1;                      // in which this copy of the volume writes
  std::optional<codec::SealKey> key = {};  // none: what is in the bucket is not sealed
  bool wait_while_away = false;            // reads of what is not here wait for the bucket
  bool sync_remote = false;                // fsync waits for the bucket

  friend bool operator==(const RemoteSettings&, const RemoteSettings&) = default;
};

// kNotFound without the file; kCorrupt, with what is wrong; kNewerFormat.
Result<RemoteSettings> read_remote_settings(os::FileSystem& files, const std::string& directory);
// Replaces the file, durable on return.
Status write_remote_settings(os::FileSystem& files, const std::string& directory,
                             const RemoteSettings& settings);

}  // namespace nacre::node
