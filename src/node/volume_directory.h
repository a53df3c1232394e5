// An open volume with everything under it, as its directory describes: lock, superblock, rows,
// devices, the volume itself, and the keeper. Members go down in the reverse order.
//
// The accessors and what they give may be used from any thread; open() and close() from one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "block/cached_store.h"
#include "block/local_store.h"
#include "block/store.h"
#include "device/device.h"
#include "fs/volume.h"
#include "keeper/keeper.h"
#include "kv/rocks_store.h"
#include "node/superblock_files.h"
#include "node/tiered_blocks.h"
#include "node/watched_store.h"
#include "os/file_system.h"

namespace nacre::node {

// What one process may hold of each kind. With the index of the devices, what the kernel refers to
// and the threads, below 400 MiB.
struct MemoryPlan {
  uint64_t rows_bytes = 224 * kMiB;
  uint64_t dirty_bytes = 96 * kMiB;
  uint64_t block_cache_bytes = 64 * kMiB;
  uint64_t record_heads_bytes = 16 * kMiB;  // over all devices

  // The row store keeps space on disk in proportion to its memory: little in a volume whose
  // capacity was chosen small.
  uint64_t rows_bytes_for(uint64_t capacity_bytes) const;
};

class VolumeDirectory {
 public:
  struct OpenOptions {
    bool read_only = false;
    bool background = true;  // false: commits and upkeep only when asked, for simulation
    MemoryPlan memory = {};
    Connect connect = connect_bucket;  // of a tiered volume
  };
  // `host` outlives it. kNotFound: there is no volume, or no device where one should be; kBusy: a
  // process has it; kCorrupt, kNewerFormat; kReadOnly: a later version left it so that this one may
  // only read.
  static Result<std::unique_ptr<VolumeDirectory>> open(device::Host host,
                                                       const std::string& directory,
                                                       const OpenOptions& options);
  // Without close() the volume is left as by a crash.
  ~VolumeDirectory();
  // Commits, and leaves everything so that the next open is quick. Nothing may be used afterwards.
  Status close();

  const std::string& path() const { return path_; }
  bool read_only() const { return options_.read_only; }
  const wire::VolumeSuperblock& superblock() const { return found_.superblock; }
  // What is wrong with the copies of the superblock; empty after mend_superblock().
  const std::vector<std::string>& superblock_problems() const { return found_.problems; }
  Status mend_superblock();

  fs::Volume& volume() { return *volume_; }
  keeper::Keeper& keeper() { return *keeper_; }
  kv::Store& rows() { return tiered_ ? tiered_->rows() : *rows_; }
  block::LocalStore& devices() { return *local_; }
  // Null for a volume without a bucket.
  TieredBlocks* tiered() { return tiered_.get(); }
  // Errors met since the volume was opened.
  ReadErrors read_errors() const { return watched_->errors(); }
  device::Host host() { return host_; }

 private:
  VolumeDirectory(device::Host host, std::string directory, const OpenOptions& options)
      : host_(host), path_(std::move(directory)), options_(options) {}
  Status open_parts();
  Result<std::vector<std::unique_ptr<device::Device>>> open_devices();
  Result<uint64_t> capacity();

  const device::Host host_;
  const std::string path_;
  const OpenOptions options_;
  FoundSuperblock found_;
  std::optional<RemoteSettings> remote_;
  // Each uses those before it.
  std::unique_ptr<os::FileLock> lock_;
  std::unique_ptr<kv::RocksStore> rows_;
  std::unique_ptr<block::LocalStore> local_;
  std::unique_ptr<TieredBlocks> tiered_;
  std::unique_ptr<WatchedStore> watched_;
  std::unique_ptr<block::CachedStore> cached_;
  std::unique_ptr<fs::Volume> volume_;
  std::unique_ptr<keeper::Keeper> keeper_;
};

// How a volume is to be laid out; what the superblock says of it later.
fs::VolumeSettings settings_of(const wire::VolumeSuperblock& superblock);

}  // namespace nacre::node
