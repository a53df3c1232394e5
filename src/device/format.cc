// Device::format: making an empty device of what is at a path.
#include <fmt/format.h>

#include <algorithm>

#include "device/core.h"
#include "device/probe.h"
#include "device/superblocks.h"

namespace nacre::device {
namespace {

using wire::kDevicePageBytes;

constexpr uint64_t kDefaultSegmentBytes = 64 * kMiB;
constexpr uint64_t kUsualSegments = 16;         // a small device gets smaller segments for them
constexpr uint64_t kMostUsualSegments = 16384;  // a large device gets larger ones
constexpr uint64_t kBlocksPerSegment = 8;
// Left free at both ends of an image, where other systems keep their signatures.
constexpr uint64_t kImageMarginBytes = kMiB;
constexpr uint64_t kSmallImageMarginBytes = kDevicePageBytes;
constexpr uint64_t kSmallImageBytes = 64 * kMiB;

struct Target {
  BackingKind backing = BackingKind::kDirectory;
  bool exists = false;
  uint64_t size_bytes = 0;  // of an image, or the most a directory may take
};

uint64_t margin_of(uint64_t image_bytes) {
  return image_bytes < kSmallImageBytes ? kSmallImageMarginBytes : kImageMarginBytes;
}

Result<Target> target_of(os::FileSystem& files, const std::string& path,
                         const FormatOptions& options) {
  const os::PathKind kind = TRY(files.kind(path));
  Target target{.backing = BackingKind::kDirectory,
                .exists = kind != os::PathKind::kMissing,
                .size_bytes = options.capacity_bytes};
  switch (kind) {
    case os::PathKind::kMissing:
      target.backing = options.backing.value_or(target.backing);
      return target;
    case os::PathKind::kDirectory:
      return target;
    case os::PathKind::kFile:
    case os::PathKind::kBlockDevice:
      break;
    case os::PathKind::kOther:
      return Error(Code::kInvalid, path + " is neither a directory, a file nor a block device");
  }
  target.backing = BackingKind::kImage;
  const auto file = TRY(files.open(path, os::OpenMode::kRead));
  target.size_bytes = TRY(file->size());
  if (options.capacity_bytes > 0 && options.capacity_bytes != target.size_bytes) {
    return Error(Code::kInvalid, fmt::format("{} has {} already; it cannot be given another size",
                                             path, format_size(target.size_bytes)));
  }
  return target;
}

uint64_t choose_segment_bytes(uint64_t space_bytes, const FormatOptions& options) {
  if (options.segment_bytes != 0) return options.segment_bytes;
  const uint64_t least_bytes = std::max(
      round_up(kBlocksPerSegment * options.block_bytes, kDevicePageBytes), wire::kMinSegmentBytes);
  uint64_t bytes = std::max(kDefaultSegmentBytes, least_bytes);
  while (space_bytes / bytes < kUsualSegments && bytes / 2 >= least_bytes) bytes /= 2;
  while (space_bytes / bytes > kMostUsualSegments && bytes * 2 <= wire::kMaxSegmentBytes) {
    bytes *= 2;
  }
  return bytes;
}

Result<wire::Superblock> plan(Host host, const std::string& path, const FormatOptions& options,
                              const Target& target, uint64_t space_bytes) {
  wire::Superblock superblock{.backing = target.backing,
                              .generation = 1,
                              .device = {host.random.next(), host.random.next()},
                              .volume = options.volume,
                              .created = host.clock.now()};
  if (target.backing == BackingKind::kImage) {
    superblock.device_bytes = round_down(target.size_bytes, kDevicePageBytes);
    superblock.first_segment_bytes = margin_of(target.size_bytes);
    const uint64_t margins_bytes = 2 * superblock.first_segment_bytes;
    space_bytes =
        superblock.device_bytes > margins_bytes ? superblock.device_bytes - margins_bytes : 0;
  }
  superblock.segment_bytes = choose_segment_bytes(space_bytes, options);
  superblock.segment_count = static_cast<uint32_t>(
      std::min<uint64_t>(space_bytes / superblock.segment_bytes, wire::kMaxSegments));
  if (superblock.segment_bytes % kDevicePageBytes != 0 ||
      superblock.segment_bytes < wire::kMinSegmentBytes ||
      superblock.segment_bytes > wire::kMaxSegmentBytes) {
    return Error(Code::kInvalid,
                 fmt::format("segments of {} bytes: they must have {} to {}, in whole pages of {}",
                             superblock.segment_bytes, format_size(wire::kMinSegmentBytes),
                             format_size(wire::kMaxSegmentBytes), format_size(kDevicePageBytes)));
  }
  if (superblock.segment_bytes < kBlocksPerSegment * options.block_bytes) {
    return Error(Code::kInvalid, fmt::format("segments of {} do not hold {} blocks of {}",
                                             format_size(superblock.segment_bytes),
                                             kBlocksPerSegment, format_size(options.block_bytes)));
  }
  if (superblock.segment_count < wire::kMinSegments) {
    return Error(Code::kInvalid,
                 fmt::format("{} is too small: {} segments of {} are the least, and it holds {}",
                             path, wire::kMinSegments, format_size(superblock.segment_bytes),
                             superblock.segment_count));
  }
  const std::string page = wire::encode_superblock(superblock);
  return wire::decode_superblock(as_bytes(page));  // refuses sizes out of their limits
}

std::string parent_of(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  const size_t slash = end == std::string::npos ? end : path.find_last_of('/', end);
  if (slash == std::string::npos) return path.starts_with('/') ? "/" : ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Makes the entry of `path` durable, and those of its parents that are made along with it.
class DurablePath {
 public:
  static Result<DurablePath> look(os::FileSystem& files, const std::string& path) {
    DurablePath made;
    for (std::string parent = parent_of(path);; parent = parent_of(parent)) {
      made.parents_.push_back(parent);
      if (TRY(files.kind(parent)) != os::PathKind::kMissing) return made;
    }
  }
  Status sync(os::FileSystem& files) const {
    for (const std::string& parent : parents_) TRY(files.sync_directory(parent));
    return {};
  }

 private:
  std::vector<std::string> parents_;
};

// Of an earlier device: neither its superblocks nor its segments may be found again.
Status wipe_directory(os::FileSystem& files, const std::string& path) {
  for (const int copy : {0, 1}) {
    const std::string file = path + "/" + superblock_file(copy);
    if (TRY(files.kind(file)) == os::PathKind::kFile) TRY(files.remove_file(file));
  }
  TRY(files.sync_directory(path));
  const std::string segments = path + "/" + std::string(kSegmentsDirectory);
  if (TRY(files.kind(segments)) != os::PathKind::kDirectory) return {};
  for (const std::string& name : TRY(files.list(segments))) {
    TRY(files.remove_file(segments + "/" + name));
  }
  return files.sync_directory(segments);
}

Status wipe_image(os::FileSystem& files, const std::string& path,
                  const wire::Superblock& superblock) {
  const auto file = TRY(files.open(path, os::OpenMode::kReadWrite));
  const std::string margin(superblock.first_segment_bytes, '\0');
  TRY(file->write_at(0, as_bytes(margin)));
  TRY(file->write_at(superblock.device_bytes - margin.size(), as_bytes(margin)));
  TRY(file->sync());
  const ByteView header = as_bytes(margin).first(kDevicePageBytes);
  for (uint64_t segment = 0; segment < superblock.segment_count; ++segment) {
    TRY(file->write_at(superblock.first_segment_bytes + segment * superblock.segment_bytes,
                       header));
  }
  return file->sync();
}

// All between the superblocks that describe_content() looks at.
Status blank_ends(os::FileSystem& files, const std::string& path,
                  const wire::Superblock& superblock) {
  const auto file = TRY(files.open(path, os::OpenMode::kReadWrite));
  const uint64_t most = superblock.device_bytes - 2 * kDevicePageBytes;
  const std::string head(std::min(kProbedHeadBytes, most), '\0');
  const std::string tail(std::min(kProbedTailBytes, most), '\0');
  TRY(file->write_at(kDevicePageBytes, as_bytes(head)));
  TRY(file->write_at(superblock.device_bytes - kDevicePageBytes - tail.size(), as_bytes(tail)));
  return file->sync();
}

// Whether there is neither a superblock nor one that is damaged.
Result<bool> is_blank(Backing& backing) {
  for (const int copy : {0, 1}) {
    const std::string page = TRY(backing.read_superblock(copy));
    if (page.find_first_not_of('\0') != std::string::npos) return false;
  }
  return true;
}

Status make_image(os::FileSystem& files, const std::string& path, uint64_t size_bytes) {
  const auto file = TRY(files.open(path, os::OpenMode::kCreateNew));
  if (const Status allocated = file->allocate(0, size_bytes); !allocated.ok()) {
    (void)files.remove_file(path).ok();
    return allocated;
  }
  return file->sync();
}

}  // namespace

Result<Identity> Device::format(Host host, const std::string& path, const FormatOptions& options) {
  const Target target = TRY(target_of(host.files, path, options));
  const std::string content = TRY(describe_content(host.files, path));
  if (!content.empty() && !options.force) {
    return Error(Code::kExists, path + " holds " + content);
  }
  const DurablePath entry = TRY(DurablePath::look(host.files, path));
  const bool is_directory = target.backing == BackingKind::kDirectory;
  if (is_directory)
    TRY(host.files.create_directories(path + "/" + std::string(kSegmentsDirectory)));
  uint64_t space_bytes = target.size_bytes;
  if (is_directory && space_bytes == 0) space_bytes = TRY(host.files.space(path)).total_bytes;
  const wire::Superblock superblock = TRY(plan(host, path, options, target, space_bytes));

  if (!is_directory && !target.exists) TRY(make_image(host.files, path, target.size_bytes));
  const auto lock = TRY(host.files.lock(is_directory ? path + "/" + std::string(kLockFile) : path));
  std::unique_ptr<Backing> backing;
  if (is_directory) {
    TRY(wipe_directory(host.files, path));
    backing = open_directory(host.files, path, false);
  } else {
    TRY(wipe_image(host.files, path, superblock));
    backing = TRY(open_image(host.files, path, false));
  }
  TRY(backing->set_geometry(superblock));
  TRY(write_superblocks(*backing, superblock, 0));
  if (superblock.backing == BackingKind::kDirectory || !target.exists) TRY(entry.sync(host.files));
  return Identity{.device = superblock.device,
                  .volume = superblock.volume,
                  .backing = superblock.backing,
                  .segment_bytes = superblock.segment_bytes,
                  .segment_count = superblock.segment_count,
                  .created = superblock.created};
}

Status Device::erase(Host host, const std::string& path, VolumeId volume) {
  const os::PathKind kind = TRY(host.files.kind(path));
  if (kind == os::PathKind::kMissing) return {};
  const bool is_directory = kind == os::PathKind::kDirectory;
  const auto lock = TRY(host.files.lock(is_directory ? path + "/" + std::string(kLockFile) : path));
  auto backing = is_directory ? open_directory(host.files, path, true)
                              : TRY(open_image(host.files, path, true));
  if (!TRY(is_blank(*backing))) {
    const wire::Superblock superblock = TRY(read_superblocks(*backing, path)).superblock;
    if (superblock.volume != volume) {
      return Error(Code::kInvalid, "device " + path + " is of volume " + to_hex(superblock.volume));
    }
    if (!is_directory) {
      TRY(blank_ends(host.files, path, superblock));
      TRY(wipe_image(host.files, path, superblock));
    }
  }
  if (!is_directory) return {};
  TRY(wipe_directory(host.files, path));
  const std::string segments = path + "/" + std::string(kSegmentsDirectory);
  if (TRY(host.files.kind(segments)) == os::PathKind::kDirectory) {
    TRY(host.files.remove_directory(segments));
  }
  TRY(host.files.remove_file(path + "/" + std::string(kLockFile)));
  return host.files.sync_directory(path);
}

}  // namespace nacre::device
