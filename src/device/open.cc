// Device::open.
#include <fmt/format.h>

#include "device/core.h"
#include "device/recovery.h"
#include "device/superblocks.h"

namespace nacre::device {
namespace {

Result<std::unique_ptr<os::FileLock>> lock_device(os::FileSystem& files, const std::string& path,
                                                  bool is_directory, bool read_only) {
  Result<std::unique_ptr<os::FileLock>> lock =
      files.lock(is_directory ? path + "/" + std::string(kLockFile) : path);
  if (lock.ok()) return lock;
  if (lock.code() == Code::kBusy) {
    return Error(Code::kBusy, "device " + path + " is in use by another process");
  }
  // On read-only media there is nobody to be locked out.
  if (read_only) return std::unique_ptr<os::FileLock>();
  return lock;
}

Status check_wanted(const std::string& path, const wire::Superblock& superblock,
                    const OpenOptions& options) {
  if (options.volume && *options.volume != superblock.volume) {
    return Error(Code::kInvalid, fmt::format("device {} belongs to volume {}, not to {}", path,
                                             to_hex(superblock.volume), to_hex(*options.volume)));
  }
  if (!options.read_only && superblock.must_stay_read_only()) {
    return Error(Code::kReadOnly,
                 fmt::format("device {} uses features {:#x} of a later version of Nacre: this one "
                             "can only read it",
                             path, superblock.features.ro_compat));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Device>> Device::open(Host host, const std::string& path,
                                             const OpenOptions& options) {
  const os::PathKind kind = TRY(host.files.kind(path));
  if (kind == os::PathKind::kMissing) {
    return Error(Code::kNotFound, "device " + path + " is missing");
  }
  const bool is_directory = kind == os::PathKind::kDirectory;
  std::unique_ptr<os::FileLock> lock =
      TRY(lock_device(host.files, path, is_directory, options.read_only));
  std::unique_ptr<Backing> backing;
  if (is_directory) {
    backing = open_directory(host.files, path, options.read_only);
  } else {
    backing = TRY(open_image(host.files, path, options.read_only));
  }
  FoundSuperblock found = TRY(read_superblocks(*backing, path));
  TRY(check_wanted(path, found.superblock, options));
  TRY(backing->set_geometry(found.superblock));
  if (!options.read_only) {
    ++found.superblock.generation;
    ++found.superblock.epoch;
    TRY(write_superblocks(*backing, found.superblock, found.write_first));
  }
  auto core = std::make_unique<Core>(host, path, found.superblock, options);
  core->lock = std::move(lock);
  core->backing = std::move(backing);
  core->findings.bad_superblocks = static_cast<uint32_t>(found.bad_copies);
  TRY(Recovery(*core).run());
  return std::unique_ptr<Device>(new Device(std::move(core)));
}

}  // namespace nacre::device
