#include "node/destroy_volume.h"

#include <fmt/format.h>

#include <algorithm>

#include "node/remove_tree.h"
#include "node/superblock_files.h"
#include "node/volume_directory.h"
#include "node/volume_lock.h"
#include "node/volume_paths.h"
#include "tier/destruction.h"
#include "tier/ownership.h"

namespace nacre::node {
namespace {

constexpr std::string_view kOwnPrefix = "nacre.";  // of the files in a volume's directory

Error advised(const Error& error, std::string_view advice) {
  return Error(error.code(), fmt::format("{}: {}", error.context(), advice));
}

class Destruction {
 public:
  Destruction(device::Host host, const std::string& directory, const DestroyOptions& options,
              const DestroyProgress& progress)
      : host_(host), directory_(directory), options_(options), progress_(progress) {}

  Result<DestroyedVolume> run() {
    TRY(find());
    if (superblock_.is_tiered() && !options_.remote && !options_.force) TRY(check_uploaded());
    lock_ = TRY(lock_volume(host_.files, directory_, false));
    if (options_.remote) TRY(connect());
    if (!options_.force) TRY(check_devices());
    TRY(mark_destroyed(host_.files, directory_, superblock_));
    if (bucket_ != nullptr) TRY(empty_bucket());
    TRY(erase_devices());
    TRY(remove_files());
    return std::move(destroyed_);
  }

 private:
  Status find() {
    const auto found = read_superblock(host_.files, directory_);
    if (found.ok()) {
      superblock_ = found->superblock;
      return {};
    }
    const auto half_gone = read_destroyed(host_.files, directory_);
    if (!half_gone.ok()) return found.error();
    superblock_ = *half_gone;
    was_marked_ = true;
    return {};
  }

  // All that was ever written is in the bucket, rows too.
  Status check_uploaded() {
    if (was_marked_) return {};
    const auto opened = TRY(VolumeDirectory::open(
        host_, directory_, {.background = false, .connect = options_.connect}));
    TieredBlocks& tiered = *opened->tiered();
    const tier::ResidenceTotals local = tiered.tier().status().local;
    if (local.dirty_blocks > 0) {
      return Error(Code::kNotEmpty,
                   fmt::format("{} in {} blocks are not in the bucket and would be lost: `nacre "
                               "tier flush {}` uploads them, --force gives them up",
                               format_size(local.dirty_bytes), local.dirty_blocks, directory_));
    }
    const Status shipped = tiered.shipper()->ship_up_to(tiered.last_batch());
    if (!shipped.ok()) {
      return advised(shipped.error(),
                     "the last changes are not in the bucket; --force gives them up");
    }
    return opened->close();
  }

  Status connect() {
    if (!superblock_.is_tiered()) {
      return Error(Code::kUnsupported, directory_ + " has no bucket: leave out --remote");
    }
    settings_ = TRY(read_remote_settings(host_.files, directory_));
    bucket_ = TRY(options_.connect(settings_));
    const auto found = tier::find_volume(*bucket_);
    if (!found.ok() && found.code() != Code::kNotFound) return found.error();
    if (found.ok() && found->volume.volume != superblock_.volume) {
      return Error(Code::kExists,
                   fmt::format("{} holds another volume by now, {}: without --remote that stays as "
                               "it is",
                               settings_.bucket.to_string(), to_hex(found->volume.volume)));
    }
    is_in_bucket_ = found.ok();
    return may_go_on();
  }

  Status may_go_on() {
    if (options_.force || !is_in_bucket_) return {};
    Status ours = tier::check_epoch(*bucket_, superblock_.volume, settings_.epoch);
    if (ours.ok() || ours.code() != Code::kAccess) return ours;
    return advised(ours.error(), "without --remote this copy alone goes; --force destroys theirs");
  }

  Status empty_bucket() {
    const auto emptied =
        TRY(tier::empty_bucket(*bucket_, is_in_bucket_, [this] { return may_go_on(); }, progress_));
    destroyed_.objects = emptied.objects;
    destroyed_.foreign_objects = emptied.foreign;
    return {};
  }

  Status check_devices() {
    for (const wire::VolumeDevice& device : superblock_.devices) {
      if (device.path.empty() || was_marked_) continue;
      if (TRY(host_.files.kind(device.path)) != os::PathKind::kMissing) continue;
      return Error(Code::kNotFound, fmt::format("device {} is not there: connect it, or --force "
                                                "leaves it as it is",
                                                device.path));
    }
    return {};
  }

  Status erase_devices() {
    for (const wire::VolumeDevice& device : superblock_.devices) {
      if (device.path.empty()) continue;
      Status erased = device::Device::erase(host_, device.path, superblock_.volume);
      if (erased.ok()) continue;
      if (!options_.force) return erased;
      destroyed_.left.push_back(erased.error().to_string());
    }
    return {};
  }

  // What says whose the rest is goes last.
  Status remove_files() {
    for (const std::string& path : {rows_path(directory_), data_path(directory_),
                                    row_log_path(directory_), socket_path(directory_)}) {
      TRY(remove_tree(host_.files, path));
    }
    TRY(host_.files.sync_directory(directory_));
    TRY(remove_tree(host_.files, remote_path(directory_)));
    TRY(remove_superblock(host_.files, directory_));
    std::vector<std::string> others;
    for (const std::string& name : TRY(host_.files.list(directory_))) {
      if (name.starts_with(kOwnPrefix)) {
        TRY(host_.files.remove_file(directory_ + "/" + name));
      } else {
        others.push_back(name);
      }
    }
    TRY(host_.files.sync_directory(directory_));
    lock_.reset();
    if (others.empty()) return remove_directory();
    destroyed_.left.push_back(fmt::format("{} is kept, for it holds '{}'{}", directory_,
                                          std::ranges::min(others),
                                          others.size() == 1 ? "" : " and more"));
    return {};
  }

  // A mountpoint, say, stays.
  Status remove_directory() {
    const Status removed = host_.files.remove_directory(directory_);
    if (removed.ok()) return host_.files.sync_directory(parent_of(directory_));
    destroyed_.left.push_back(removed.error().to_string());
    return {};
  }

  const device::Host host_;
  const std::string directory_;
  const DestroyOptions& options_;
  const DestroyProgress& progress_;
  wire::VolumeSuperblock superblock_;
  bool was_marked_ = false;
  std::unique_ptr<os::FileLock> lock_;
  RemoteSettings settings_;
  std::unique_ptr<bucket::Bucket> bucket_;
  bool is_in_bucket_ = false;
  DestroyedVolume destroyed_;
};

}  // namespace

Result<DestroyedVolume> destroy_volume(device::Host host, const std::string& directory,
                                       const DestroyOptions& options,
                                       const DestroyProgress& progress) {
  return Destruction(host, directory, options, progress).run();
}

}  // namespace nacre::node
