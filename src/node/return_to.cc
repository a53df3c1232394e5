#include "node/return_to.h"

#include "fs/live_tree.h"
#include "meta/lookup.h"
#include "meta/past_rows.h"
#include "node/present_target.h"
#include "node/restore.h"

namespace nacre::node {
namespace {

constexpr uint64_t kChangesPerCommit = 4096;

// What a walk over the past finds becomes the present. A name of the present that began after the
// moment, or whose file has had other names since, is removed ahead; so whatever is left under a
// name is the same file as then.
class Returning final : public RestoreTarget {
 public:
  Returning(fs::Volume& volume, Sequence at, PresentTarget target)
      : volume_(volume),
        tree_(volume),
        at_(at),
        past_(volume.rows(), at),
        present_(volume.rows(), volume.committed()),
        target_(std::move(target)) {}

  Status enter_directory(const std::string& name, const PastFile& directory) override {
    const bool is_root = kept_.empty();
    const bool kept = is_root || TRY(find_kept(name)).has_value();
    TRY(target_.enter_directory(name, directory));
    kept_.push_back(kept ? std::optional(directory.attr.ino) : std::nullopt);
    return kept ? remove_later(directory.attr.ino) : Status();
  }

  Status leave_directory(const PastFile& directory) override {
    kept_.pop_back();
    TRY(changed());
    return target_.leave_directory(directory);
  }

  Status put(const std::string& name, const PastFile& file) override {
    const auto kept = TRY(find_kept(name));
    if (kept && kept->row.begin <= at_) return {};
    TRY(changed());
    return target_.put(name, file);
  }

 private:
  Result<bool> is_kept(const meta::Dentry& name) const {
    if (name.row.begin > at_) return false;
    const meta::Inode now = TRY(meta::load_inode(present_, name.row.ino));
    if (now.is_directory() || now.row.begin <= at_) return true;
    return now.row.nlink == 1 && TRY(meta::load_inode(past_, name.row.ino)).row.nlink == 1;
  }

  // What the present has under that name in the directory entered last, unless that was removed.
  Result<std::optional<meta::Inode>> find_kept(const std::string& name) const {
    if (!kept_.back()) return std::optional<meta::Inode>();
    const auto dentry =
        TRY(meta::find_dentry(present_, volume_.settings().name_key, *kept_.back(), name));
    if (!dentry || !TRY(is_kept(*dentry))) return std::optional<meta::Inode>();
    return std::optional(TRY(meta::load_inode(present_, dentry->row.ino)));
  }

  // `present_` is as it was before, whatever is removed from the volume.
  Status visit(InodeId directory, const std::function<Status(const meta::Dentry&)>& body) {
    Status failed;
    TRY(meta::visit_directory(present_, directory, 0, [&](const meta::Dentry& dentry) {
      failed = body(dentry);
      return failed.ok();
    }));
    return failed;
  }

  Status remove_later(InodeId directory) {
    return visit(directory, [&](const meta::Dentry& dentry) -> Status {
      return TRY(is_kept(dentry)) ? Status() : remove(directory, dentry);
    });
  }

  Status remove(InodeId parent, const meta::Dentry& dentry) {
    TRY(changed());
    const bool is_directory =
        static_cast<meta::FileType>(dentry.row.type) == meta::FileType::kDirectory;
    if (!is_directory) return tree_.unlink(parent, dentry.row.name);
    TRY(visit(dentry.row.ino,
              [&](const meta::Dentry& child) { return remove(dentry.row.ino, child); }));
    return tree_.remove_directory(parent, dentry.row.name);
  }

  Status changed() { return ++changes_ % kChangesPerCommit == 0 ? volume_.commit() : Status(); }

  fs::Volume& volume_;
  fs::LiveTree tree_;
  const Sequence at_;
  const meta::PastRows past_;
  const meta::PastRows present_;
  PresentTarget target_;
  std::vector<std::optional<InodeId>> kept_;  // of the directories entered; none: made anew
  uint64_t changes_ = 0;
};

}  // namespace

Status return_to(fs::Volume& volume, Sequence at, const std::function<bool(uint64_t)>& go_on) {
  Returning target(
      volume, at, TRY(PresentTarget::open(volume, nullptr, {}, {.in_place = true, .force = true})));
  TRY(restore(volume, at, kRootInode, target, go_on));
  return volume.commit();
}

}  // namespace nacre::node
