#include "cli/fuse_mounter.h"

#include <spdlog/spdlog.h>

#include <optional>

#include "cli/mount_sync.h"
#include "cli/mounted_file.h"
#include "mount/mount.h"

namespace nacre::cli {
namespace {

class FuseMounted final : public node::Mounted {
 public:
  FuseMounted(std::unique_ptr<mount::Mount> mount, bool read_only)
      : mount_(std::move(mount)), read_only_(read_only) {}

  void start() override {
    mount_->start();
    // Whose pages to write back; what is found at the mountpoint once this is unmounted is another.
    const auto device = device_of(mount_->mountpoint());
    if (device.ok()) {
      device_ = *device;
    } else {
      spdlog::warn("{}", device.error().to_string());
    }
  }
  void wait() override { mount_->wait(); }
  Status unmount(bool lazy) override {
    return mount_->unmount(lazy ? mount::DetachMode::kLazy : mount::DetachMode::kIfIdle);
  }
  const std::string& mountpoint() const override { return mount_->mountpoint(); }
  bool read_only() const override { return read_only_; }
  uint64_t requests() const override {
    uint64_t total = 0;
    for (const auto& [operation, count] : mount_->stats()) total += count;
    return total;
  }
  Status write_back() override {
    if (read_only_ || !device_) return {};
    const Status written = sync_mount(mount_->mountpoint(), *device_);
    return !written.ok() && written.code() == Code::kNotFound ? Status() : written;
  }
  Status change_content(const std::string& path, InodeId ino,
                        const ContentChange& change) override {
    auto file = TRY(MountedFile::open(mount_->mountpoint(), path, ino));
    TRY(file.flush());
    return file.adopt(TRY(change()));
  }
  void forget_inode(InodeId ino) override { mount_->notify_inval_inode(ino); }
  void forget_entry(InodeId parent, const std::string& name) override {
    mount_->notify_inval_entry(parent, name);
  }

 private:
  const std::unique_ptr<mount::Mount> mount_;
  const bool read_only_;
  std::optional<dev_t> device_;  // set before anybody else knows of this
};

}  // namespace

Result<std::unique_ptr<node::Mounted>> FuseMounter::mount(fs::Tree& tree,
                                                          const node::MountPlan& plan) {
  mount::Options options;
  TRY(mount::apply_options(plan.options, options));
  options.fsname = plan.source;
  options.read_only = options.read_only || plan.read_only;
  options.single_threaded = plan.single_threaded;
  options.no_atime = options.no_atime || !plan.atime;
  auto mount = TRY(mount::Mount::mount(tree, plan.mountpoint, options));
  return std::unique_ptr<node::Mounted>(
      std::make_unique<FuseMounted>(std::move(mount), options.read_only));
}

}  // namespace nacre::cli
