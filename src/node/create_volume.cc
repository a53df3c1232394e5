#include "node/create_volume.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <set>

#include "block/local_store.h"
#include "fs/volume.h"
#include "kv/rocks_store.h"
#include "meta/moments.h"
#include "node/remove_tree.h"
#include "node/return_to.h"
#include "node/superblock_files.h"
#include "node/volume_directory.h"
#include "node/volume_lock.h"
#include "node/volume_paths.h"
#include "tier/ownership.h"
#include "wire/bucket_names.h"

namespace nacre::node {
namespace {

// Twelve segments of eight blocks: with what a device keeps free of them, its capacity is not less.
constexpr uint64_t kLeastBlocks = 96;
constexpr uint64_t kUsualBlockSize = 4 * kMiB;
// Space is taken and kept free in segments of some blocks each: small next to the volume if blocks
// are.
constexpr uint64_t kUsualBlocks = 512;
// What removed blocks may take on a directory's host, until cleaning, beyond the capacity.
constexpr uint64_t kGarbageDivisor = 4;

// Of the device of a tiered volume: segments in its cache, and what the cache may grow by.
constexpr uint64_t kCacheSegments = 64;
constexpr uint64_t kCacheGrowth = 64;
constexpr uint64_t kMostSegmentBytes = 64 * kMiB;
constexpr uint64_t kLeastSegmentBlocks = 8;  // and some room for their heads

// What the volume may take of the host; 0: what that can spare.
uint64_t local_bytes(const CreateOptions& options) {
  return options.remote ? options.remote->cache_bytes : options.capacity_bytes;
}

// Bytes of the smallest part that the volume is to be made of.
Result<uint64_t> smallest_part(os::FileSystem& files, const CreateOptions& options) {
  uint64_t smallest = local_bytes(options) == 0 ? ~uint64_t{0} : local_bytes(options);
  for (const std::string& path : options.devices) {
    const os::PathKind kind = TRY(files.kind(path));
    if (kind != os::PathKind::kFile && kind != os::PathKind::kBlockDevice) continue;
    const auto file = TRY(files.open(path, os::OpenMode::kRead));
    smallest = std::min(smallest, TRY(file->size()));
  }
  return smallest;
}

Result<CreateOptions> with_block_size(os::FileSystem& files, CreateOptions options) {
  if (options.block_size == 0) {
    const uint64_t fitting = std::bit_floor(TRY(smallest_part(files, options)) / kUsualBlocks);
    options.block_size = std::clamp(fitting, wire::kMinBlockSize, kUsualBlockSize);
  }
  return options;
}

Status check_options(os::FileSystem& files, const CreateOptions& options) {
  if (!std::has_single_bit(options.block_size) || options.block_size < wire::kMinBlockSize ||
      options.block_size > wire::kMaxBlockSize) {
    return Error(
        Code::kInvalid,
        fmt::format("a block size of {} is not possible: it is a power of two from {} to {}",
                    format_size(options.block_size), format_size(wire::kMinBlockSize),
                    format_size(wire::kMaxBlockSize)));
  }
  if (options.remote && (options.capacity_bytes != 0 || !options.devices.empty())) {
    return Error(Code::kInvalid,
                 "a volume with a bucket has a cache size, and neither a capacity nor "
                 "devices of its own");
  }
  if (options.devices.size() > wire::kMaxVolumeDevices) {
    return Error(Code::kInvalid, fmt::format("{} devices are too many: {} is the most",
                                             options.devices.size(), wire::kMaxVolumeDevices));
  }
  std::set<std::string> paths;
  for (const std::string& path : options.devices) {
    if (path.size() > wire::kMaxDevicePathBytes) return Error(Code::kNameTooLong, path);
    if (path.starts_with("/dev/") && TRY(files.kind(path)) == os::PathKind::kMissing) {
      return Error(Code::kNotFound, "device " + path + ": connect it, or name another");
    }
    if (!paths.insert(path).second) {
      return Error(Code::kInvalid, "device " + path + " is given twice");
    }
  }
  return {};
}

// Refuses a place that holds something. What it holds is said, so that nobody destroys it unread.
Status check_place(os::FileSystem& files, const std::string& directory, bool force) {
  const os::PathKind kind = TRY(files.kind(directory));
  if (kind == os::PathKind::kMissing) return {};
  if (kind != os::PathKind::kDirectory) {
    return Error(Code::kNotDirectory, directory + " is no directory: name one, or a new place");
  }
  if (force) return {};
  if (TRY(has_superblock(files, directory))) {
    const auto found = read_superblock(files, directory);
    return Error(
        Code::kExists,
        fmt::format("{} holds a volume already{}: --force destroys it and all its files", directory,
                    found.ok() ? " (" + to_hex(found->superblock.volume) + ")" : ""));
  }
  const std::vector<std::string> names = TRY(files.list(directory));
  if (names.empty()) return {};
  return Error(
      Code::kNotEmpty,
      fmt::format("{} is no volume and not empty: it holds '{}'{}; take an empty directory, "
                  "or --force to put the volume beside that",
                  directory, std::ranges::min(names),
                  names.size() == 1 ? "" : fmt::format(" and {} more", names.size() - 1)));
}

// None for a bucket that is not sealed and need not be.
Result<std::optional<codec::SealKey>> key_of(const wire::BucketVolume& volume,
                                             const BucketSecret& secret) {
  if (volume.key) return std::optional(TRY(unwrap_key(*volume.key, volume.volume, secret)));
  if (secret.empty()) return std::optional<codec::SealKey>();
  return Error(Code::kAccess,
               "the bucket is not sealed, but should be: somebody may have replaced what says so; "
               "without a passphrase or key file it is taken as it is");
}

// Makes the volume step by step; what it made goes with it unless keep() was called.
class Creation {
 public:
  Creation(device::Host host, const std::string& directory, const CreateOptions& options)
      : host_(host), directory_(directory), options_(options) {}
  Creation(const Creation&) = delete;
  Creation& operator=(const Creation&) = delete;

  ~Creation() {
    if (kept_ || lock_ == nullptr) return;
    if (!descriptor_.empty()) withdraw();
    for (const std::string& path : {rows_path(directory_), data_path(directory_)}) {
      [[maybe_unused]] const Status removed = remove_tree(host_.files, path);
    }
    [[maybe_unused]] Status removed = host_.files.remove_file(lock_path(directory_));
    removed = remove_tree(host_.files, remote_path(directory_));
    lock_.reset();
    if (made_directory_) removed = host_.files.remove_directory(directory_);
  }

  Status take_place() {
    made_directory_ = TRY(host_.files.kind(directory_)) == os::PathKind::kMissing;
    TRY(host_.files.create_directories(directory_));
    TRY(host_.files.sync_directory(parent_of(directory_)));
    lock_ = TRY(lock_volume(host_.files, directory_, false));
    TRY(remove_superblock(host_.files, directory_));
    TRY(remove_tree(host_.files, remote_path(directory_)));
    TRY(remove_tree(host_.files, row_log_path(directory_)));
    TRY(remove_tree(host_.files, heat_path(directory_)));
    return remove_tree(host_.files, rows_path(directory_));
  }

  Status format_devices() {
    if (superblock_.volume.is_zero()) {
      superblock_.volume = {host_.random.next(), host_.random.next()};
    }
    if (options_.devices.empty()) {
      TRY(remove_tree(host_.files, data_path(directory_)));
      if (options_.remote) return format_cache();
      const uint64_t spare =
          std::max(options_.capacity_bytes / kGarbageDivisor, kLeastBlocks * options_.block_size);
      return format(data_path(directory_), "",
                    options_.capacity_bytes == 0 ? 0 : options_.capacity_bytes + spare);
    }
    for (const std::string& path : options_.devices) TRY(format(path, path, 0));
    return {};
  }

  // The device of a tiered volume takes what it is told to, and may be told more one day.
  Status format_cache() {
    const uint64_t cache_bytes = options_.remote->cache_bytes;
    const uint64_t segment_bytes =
        std::max(std::clamp(std::bit_floor(cache_bytes / kCacheSegments), kMiB, kMostSegmentBytes),
                 kLeastSegmentBlocks * options_.block_size);
    return format(data_path(directory_), "", cache_bytes * kCacheGrowth, segment_bytes);
  }

  // Rows, and the first commit: an empty root.
  Status fill() {
    superblock_.generation = 1;
    superblock_.created = host_.clock.now();
    superblock_.block_size = options_.block_size;
    superblock_.compression = options_.compression;
    superblock_.capacity_bytes = options_.capacity_bytes;
    if (options_.remote) superblock_.features.incompat |= wire::kVolumeIsTiered;
    if (options_.dedup) superblock_.features.ro_compat |= wire::kVolumeHasFingerprints;
    for (uint8_t& byte : superblock_.name_key) byte = static_cast<uint8_t>(host_.random.next());
    const auto rows = TRY(open_new_rows());
    std::vector<std::unique_ptr<device::Device>> devices;
    for (const wire::VolumeDevice& known : superblock_.devices) {
      const std::string path = known.path.empty() ? data_path(directory_) : known.path;
      devices.push_back(TRY(device::Device::open(host_, path, {.volume = superblock_.volume})));
    }
    block::LocalStore blocks(std::move(devices), superblock_.compression);
    fs::VolumeSettings settings = settings_of(superblock_);
    settings.background = false;
    settings.root_uid = options_.root_uid;
    settings.root_gid = options_.root_gid;
    {
      const auto volume =
          TRY(fs::Volume::open({*rows, blocks, host_.clock, host_.random}, settings));
      TRY(volume->close());
    }
    TRY(blocks.close());
    return rows->sync();
  }

  // Puts the volume's name on the bucket.
  Status claim() {
    bucket_ = TRY(options_.connect(*options_.remote));
    const tier::FreeBucket free = TRY(tier::find_free(*bucket_, options_.force));
    wire::BucketVolume volume{.features = {.ro_compat = superblock_.features.ro_compat},
                              .generation = free.generation,
                              .volume = superblock_.volume,
                              .created = superblock_.created,
                              .block_size = superblock_.block_size,
                              .compression = options_.remote->compression};
    codec::Protection protection;
    if (!options_.secret.empty()) {
      key_ = codec::SealKey::random();
      volume.key = TRY(wrap_key(*key_, superblock_.volume, options_.secret));
      protection = codec::Protection(*key_);
    }
    descriptor_name_ = wire::volume_object_name(volume.generation);
    descriptor_ = wire::encode_bucket_volume(volume, superblock_.name_key, protection);
    const ByteView bytes = as_bytes(descriptor_);
    TRY(bucket_->put(descriptor_name_, {&bytes, 1}));
    TRY(begin_epoch(*bucket_, free.epoch));
    return tier::remove_descriptors_before(*bucket_, volume.generation);
  }

  // In the place of fill() and claim(), what the bucket has.
  Result<RecoveredVolume> fill_from_bucket(bucket::Bucket& bucket,
                                           const tier::RecoveryProgress& progress) {
    TRY(begin_epoch(bucket, TRY(tier::last_epoch(bucket)) + 1));
    const auto rows = TRY(open_new_rows());
    const auto protection = key_ ? codec::Protection(*key_) : codec::Protection();
    RecoveredVolume recovered{.superblock = superblock_};
    recovered.rows =
        TRY(tier::recover_rows(bucket, superblock_.volume, protection, *rows, progress));
    const auto state = TRY(rows->get(kv::Family::kVolume, wire::kStateKey));
    if (!state) return Error(Code::kCorrupt, "the rows in the bucket have no state");
    recovered.state = TRY(wire::decode_state(*state));
    TRY(rows->sync());
    return recovered;
  }

  // What the bucket says of the volume.
  Status adopt(const tier::FoundVolume& found) {
    const wire::BucketVolume& volume = found.volume;
    key_ = TRY(key_of(volume, options_.secret));
    const auto protection = key_ ? codec::Protection(*key_) : codec::Protection();
    superblock_.features.incompat |= wire::kVolumeIsTiered;
    superblock_.features.ro_compat |= volume.features.ro_compat;
    superblock_.generation = 1;
    superblock_.volume = volume.volume;
    superblock_.created = volume.created;
    superblock_.block_size = volume.block_size;
    superblock_.name_key = TRY(wire::open_name_key(as_bytes(found.object), protection));
    return {};
  }

  // The superblock comes last: before it there is no volume.
  Result<wire::VolumeSuperblock> keep() {
    if (options_.remote) {
      RemoteSettings remote = *options_.remote;
      remote.epoch = epoch_;
      remote.key = key_;
      TRY(write_remote_settings(host_.files, directory_, remote));
    }
    TRY(write_superblock(host_.files, directory_, superblock_));
    kept_ = true;
    return superblock_;
  }

 private:
  Result<std::unique_ptr<kv::RocksStore>> open_new_rows() {
    return kv::RocksStore::open(
        host_.files, rows_path(directory_),
        {.memory_bytes = MemoryPlan().rows_bytes_for(local_bytes(options_)), .create = true});
  }

  // Takes the name off the bucket again, unless somebody else put his there.
  void withdraw() {
    const auto there = bucket_->get(descriptor_name_, wire::kMaxDescriptorObjectBytes);
    if (!there.ok() || *there != descriptor_) return;
    [[maybe_unused]] Status removed;
    if (epoch_ != 0) removed = bucket_->remove(wire::epoch_object_name(epoch_));
    removed = bucket_->remove(descriptor_name_);
  }

  Status begin_epoch(bucket::Bucket& bucket, uint32_t epoch) {
    std::array<char, wire::kMaxHostNameBytes> host = {};
    (void)::gethostname(host.data(), host.size() - 1);
    TRY(tier::begin_epoch(bucket, {.volume = superblock_.volume,
                                   .epoch = epoch,
                                   .begun = host_.clock.now(),
                                   .writer = {host_.random.next(), host_.random.next()},
                                   .host = host.data()}));
    epoch_ = epoch;
    return {};
  }

  Status format(const std::string& path, const std::string& recorded, uint64_t capacity_bytes,
                uint64_t segment_bytes = 0) {
    const auto identity = device::Device::format(host_, path,
                                                 {.volume = superblock_.volume,
                                                  .force = options_.force,
                                                  .capacity_bytes = capacity_bytes,
                                                  .segment_bytes = segment_bytes,
                                                  .block_bytes = options_.block_size});
    if (!identity.ok()) {
      return Error(identity.code(),
                   fmt::format("device {}: {}{}", path, identity.error().context(),
                               identity.code() == Code::kExists ? "; --force destroys that" : ""));
    }
    superblock_.devices.push_back({identity->device, recorded});
    return {};
  }

  const device::Host host_;
  const std::string directory_;
  const CreateOptions& options_;
  std::unique_ptr<os::FileLock> lock_;
  bool made_directory_ = false;
  bool kept_ = false;
  std::unique_ptr<bucket::Bucket> bucket_;
  std::string descriptor_name_;
  std::string descriptor_;  // what was put there; empty: nothing
  uint32_t epoch_ = 0;
  std::optional<codec::SealKey> key_;
  wire::VolumeSuperblock superblock_;
};

// The moment that is meant, by the rows in the bucket, which are read for that alone.
Result<Sequence> find_moment(device::Host host, const std::string& directory,
                             const RecoverOptions& options, bucket::Bucket& bucket,
                             const tier::FoundVolume& found,
                             const tier::RecoveryProgress& progress) {
  const meta::When when = TRY(meta::parse_when(options.at, host.clock.now()));
  const auto key = TRY(key_of(found.volume, options.secret));
  const auto protection = key ? codec::Protection(*key) : codec::Protection();
  const std::string path = directory + ".recovering";
  TRY(remove_tree(host.files, path));
  TRY(host.files.create_directories(path));
  const auto resolve = [&]() -> Result<Sequence> {
    const auto rows = TRY(kv::RocksStore::open(
        host.files, path,
        {.memory_bytes = MemoryPlan().rows_bytes_for(options.remote.cache_bytes), .create = true}));
    TRY(tier::recover_rows(bucket, found.volume.volume, protection, *rows, progress));
    return meta::resolve(*rows, when);
  };
  auto moment = resolve();
  TRY(remove_tree(host.files, path));
  return moment;
}

Status return_present(device::Host host, const std::string& directory, const Connect& connect,
                      Sequence at, const tier::RecoveryProgress& progress) {
  const auto opened =
      TRY(VolumeDirectory::open(host, directory, {.background = false, .connect = connect}));
  TRY(return_to(opened->volume(), at, [&](uint64_t files) {
    if (progress) progress(files, 0);
    return true;
  }));
  return opened->close();
}

}  // namespace

Result<wire::VolumeSuperblock> create_volume(device::Host host, const std::string& directory,
                                             const CreateOptions& given) {
  const CreateOptions options = TRY(with_block_size(host.files, given));
  TRY(check_options(host.files, options));
  TRY(check_place(host.files, directory, options.force));
  Creation creation(host, directory, options);
  TRY(creation.take_place());
  TRY(creation.format_devices());
  TRY(creation.fill());
  if (options.remote) TRY(creation.claim());
  return creation.keep();
}

Result<RecoveredVolume> recover_volume(device::Host host, const std::string& directory,
                                       const RecoverOptions& given,
                                       const tier::RecoveryProgress& progress) {
  const auto bucket = TRY(given.connect(given.remote));
  const tier::FoundVolume found = TRY(tier::find_volume(*bucket));
  if (found.volume.must_stay_read_only()) {
    return Error(Code::kReadOnly, "a later version of Nacre wrote this bucket: use that one");
  }
  CreateOptions options{.block_size = found.volume.block_size,
                        .remote = given.remote,
                        .secret = given.secret,
                        .connect = given.connect,
                        .force = given.force};
  options.remote->compression = found.volume.compression;
  TRY(check_options(host.files, options));
  TRY(check_place(host.files, directory, options.force));
  std::optional<Sequence> moment;
  if (!given.at.empty()) {
    moment = TRY(find_moment(host, directory, given, *bucket, found, progress));
  }
  RecoveredVolume recovered;
  {
    Creation creation(host, directory, options);
    TRY(creation.adopt(found));
    TRY(creation.take_place());
    TRY(creation.format_devices());
    recovered = TRY(creation.fill_from_bucket(*bucket, progress));
    recovered.superblock = TRY(creation.keep());
  }
  if (!moment) return recovered;
  const Status returned = return_present(host, directory, given.connect, *moment, progress);
  if (!returned.ok()) {
    return Error(returned.code(),
                 fmt::format("{}; {} is recovered, but its present is the last state",
                             returned.error().context(), directory));
  }
  recovered.returned_to = moment;
  return recovered;
}

}  // namespace nacre::node
