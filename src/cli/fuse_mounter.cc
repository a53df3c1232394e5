#include "cli/fuse_mounter.h"

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
    if (const auto device = device_of(mount_->mountpoint()); device.ok()) device_ = *device;
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
    if (read_only_) return {};
    const Status written = sync_mount(mount_->mountpoint(), device_);
    return !written.ok() && written.code() == Code::kNotFound ? Status() : written;
  }
  Status change_content(const std::string& path, InodeId ino,
                        const ContentChange& change) override {
    MountedFile file = TRY(MountedFile::open(mount_->mountpoint(), path, ino));
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
  dev_t device_ = 0;
};

}  // namespace

Result<std::unique_ptr<node::Mounted>> FuseMounter::mount(fs::Tree& tree,
                                                          const node::MountPlan& plan) {
  mount::Options options;
  options.fsname = plan.source;
  TRY(mount::apply_options(plan.options, options));
  options.read_only |= plan.read_only;
  options.single_threaded = plan.single_threaded;
  options.no_atime |= !plan.atime;
  auto mount = TRY(mount::Mount::mount(tree, plan.mountpoint, options));
  const bool read_only = options.read_only;
  return std::unique_ptr<node::Mounted>(new FuseMounted(std::move(mount), read_only));
}

}  // namespace nacre::cli
