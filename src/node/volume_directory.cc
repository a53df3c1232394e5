#include "node/volume_directory.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <set>

#include "node/volume_lock.h"
#include "node/volume_paths.h"

namespace nacre::node {
namespace {

constexpr uint64_t kHostReserveDivisor = 20;  // 5 % of the host's disk stay free by default
constexpr uint64_t kLeastHeadCacheBytes = 2 * kMiB;
constexpr uint64_t kLeastRowsBytes = 4 * kMiB;  // memory of the row store
constexpr uint64_t kRowsShare = 16;             // of the capacity

std::string device_path(const std::string& directory, const wire::VolumeDevice& device) {
  return device.path.empty() ? data_path(directory) : device.path;
}

Error beside(const std::string& path, const Error& error, const char* advice) {
  return Error(error.code(), fmt::format("device {}: {}{}", path, error.context(), advice));
}

Error explained(const std::string& path, const Error& error) {
  switch (error.code()) {
    case Code::kNotFound:
      return beside(path, error, ": connect the device, or put it back where it was");
    case Code::kAccess:
      return beside(path, error, ": opening it needs the rights of who made the volume");
    default:
      return beside(path, error, "");
  }
}

// In which identical content is found, where it is stored once: small enough that files of which
// some changed share the rest, large enough for rows to be a five-hundredth of the data.
constexpr uint64_t kRunBytes = wire::kMinBlockSize;

}  // namespace

uint64_t MemoryPlan::rows_bytes_for(uint64_t capacity_bytes) const {
  if (capacity_bytes == 0) return rows_bytes;
  return std::min(rows_bytes, std::max(kLeastRowsBytes, capacity_bytes / kRowsShare));
}

fs::VolumeSettings settings_of(const wire::VolumeSuperblock& superblock) {
  fs::VolumeSettings settings;
  settings.name_key = superblock.name_key;
  settings.block_size = superblock.block_size;
  if (superblock.has_fingerprints()) settings.run_bytes = kRunBytes;
  return settings;
}

Result<std::unique_ptr<VolumeDirectory>> VolumeDirectory::open(device::Host host,
                                                               const std::string& directory,
                                                               const OpenOptions& options) {
  std::unique_ptr<VolumeDirectory> opened(new VolumeDirectory(host, directory, options));
  TRY(opened->open_parts());
  return opened;
}

Status VolumeDirectory::open_parts() {
  found_ = TRY(read_superblock(host_.files, path_));
  if (!options_.read_only && superblock().must_stay_read_only()) {
    return Error(Code::kReadOnly,
                 path_ +
                     ": a later version of Nacre wrote this volume so that this one may only "
                     "read it: use --read-only, or that version");
  }
  lock_ = TRY(lock_volume(host_.files, path_, options_.read_only));
  if (superblock().is_tiered()) remote_ = TRY(read_remote_settings(host_.files, path_));
  for (const std::string& problem : found_.problems) spdlog::warn("{}", problem);
  rows_ =
      TRY(kv::RocksStore::open(host_.files, rows_path(path_),
                               {.memory_bytes = options_.memory.rows_bytes_for(
                                    remote_ ? remote_->cache_bytes : superblock().capacity_bytes),
                                .read_only = options_.read_only}));
  local_ = std::make_unique<block::LocalStore>(TRY(open_devices()), superblock().compression);
  if (remote_) {
    tiered_ = TRY(TieredBlocks::open({host_, path_, *rows_, *local_}, *remote_, superblock(),
                                     {options_.connect, options_.background, options_.read_only}));
  }
  watched_ = std::make_unique<WatchedStore>(tiered_ ? tiered_->blocks() : *local_, host_.clock);
  cached_ = std::make_unique<block::CachedStore>(
      *watched_, block::CacheOptions{.capacity_bytes = options_.memory.block_cache_bytes});
  fs::VolumeSettings settings = settings_of(superblock());
  settings.capacity_bytes = TRY(capacity());
  settings.dirty_limit_bytes = options_.memory.dirty_bytes;
  settings.read_only = options_.read_only;
  settings.background = options_.background;
  volume_ = TRY(fs::Volume::open({rows(), *cached_, host_.clock, host_.random}, settings));
  keeper_ = std::make_unique<keeper::Keeper>(*volume_);
  if (options_.background && !options_.read_only) keeper_->start();
  return {};
}

Result<std::vector<std::unique_ptr<device::Device>>> VolumeDirectory::open_devices() {
  const size_t count = superblock().devices.size();
  device::OpenOptions options;
  options.volume = superblock().volume;
  options.read_only = options_.read_only;
  options.head_cache_bytes =
      std::max(kLeastHeadCacheBytes, options_.memory.record_heads_bytes / count);
  std::vector<std::unique_ptr<device::Device>> devices;
  for (const wire::VolumeDevice& known : superblock().devices) {
    const std::string path = device_path(path_, known);
    auto device = device::Device::open(host_, path, options);
    if (!device.ok()) return explained(path, device.error());
    if ((*device)->identity().device != known.id) {
      return Error(Code::kInvalid,
                   fmt::format("{} is another device of this volume, not {}: put each back to its "
                               "own path",
                               path, to_hex(known.id)));
    }
    devices.push_back(device.take());
  }
  return devices;
}

// What blocks and rows may take together: as much as was asked for, or else what they have already
// and what the hosts of the devices can spare. Images and block devices are taken whole, so they
// alone need no bound.
Result<uint64_t> VolumeDirectory::capacity() {
  if (tiered_) return std::numeric_limits<uint64_t>::max();
  if (superblock().capacity_bytes != 0) return superblock().capacity_bytes;
  const bool on_a_host = std::ranges::any_of(local_->devices(), [](const auto& device) {
    return device->identity().backing == device::BackingKind::kDirectory;
  });
  if (!on_a_host) return std::numeric_limits<uint64_t>::max();
  uint64_t bytes = TRY(rows_->usage()).disk_bytes;
  std::set<std::pair<uint64_t, uint64_t>> hosts;  // told apart by their figures
  for (size_t i = 0; i < local_->devices().size(); ++i) {
    device::Device& device = *local_->devices()[i];
    const device::Space space = device.space();
    if (device.identity().backing != device::BackingKind::kDirectory) {
      bytes += space.capacity_bytes;
      continue;
    }
    bytes += space.used_bytes;
    const auto host = TRY(host_.files.space(device_path(path_, superblock().devices[i])));
    const uint64_t reserve = host.total_bytes / kHostReserveDivisor;
    const bool first_seen = hosts.emplace(host.total_bytes, host.free_bytes).second;
    if (first_seen && host.free_bytes > reserve) bytes += host.free_bytes - reserve;
  }
  return bytes;
}

VolumeDirectory::~VolumeDirectory() = default;

Status VolumeDirectory::close() {
  keeper_->stop();
  if (!options_.read_only) TRY(volume_->close());
  keeper_.reset();
  volume_.reset();
  cached_.reset();
  watched_.reset();
  tiered_.reset();
  if (!options_.read_only) {
    TRY(local_->close());
    TRY(rows_->sync());
  }
  local_.reset();
  rows_.reset();
  lock_.reset();
  return {};
}

Status VolumeDirectory::mend_superblock() {
  if (options_.read_only) return Code::kReadOnly;
  ++found_.superblock.generation;
  TRY(write_superblock(host_.files, path_, found_.superblock));
  found_.problems.clear();
  return {};
}

}  // namespace nacre::node
