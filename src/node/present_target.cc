#include "node/present_target.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace nacre::node {
namespace {

using meta::FileType;

constexpr fs::Caller kRoot{};  // who restores has the volume's own files, and so every right

// Counted references to inodes are given back when this goes.
class Referred {
 public:
  Referred(fs::Tree& tree, InodeId ino) : tree_(tree), ino_(ino) {}
  ~Referred() { tree_.forget(ino_, 1); }
  Referred(const Referred&) = delete;
  Referred& operator=(const Referred&) = delete;

 private:
  fs::Tree& tree_;
  const InodeId ino_;
};

Result<std::optional<meta::Attr>> look_up(fs::LiveTree& tree, InodeId parent,
                                          const std::string& name) {
  if (parent == InodeId{}) return std::optional<meta::Attr>();
  const auto found = tree.lookup(parent, name);
  if (!found.ok() && found.code() == Code::kNotFound) return std::optional<meta::Attr>();
  if (!found.ok()) return found.error();
  tree.forget(found->attr.ino, 1);
  return std::optional(found->attr);
}

}  // namespace

Result<PresentTarget> PresentTarget::open(fs::Volume& volume, Mounts* mounts,
                                          const PathComponents& top,
                                          const PresentTargetOptions& options) {
  fs::LiveTree tree(volume);
  InodeId parent = kRootInode;
  for (size_t i = 0; i + 1 < top.size(); ++i) {
    const auto found = TRY(look_up(tree, parent, top[i]));
    const PathComponents path(top.begin(), top.begin() + static_cast<ptrdiff_t>(i) + 1);
    if (!found && !options.dry_run) {
      return Error(Code::kNotFound, join_path(path) + " does not exist");
    }
    if (found && found->type != FileType::kDirectory) {
      return Error(Code::kNotDirectory, join_path(path) + " is not a directory");
    }
    parent = found ? found->ino : InodeId{};
  }
  return PresentTarget(volume, mounts, top, parent, options);
}

PresentTarget::PresentTarget(fs::Volume& volume, Mounts* mounts, PathComponents top, InodeId parent,
                             const PresentTargetOptions& options)
    : volume_(volume),
      tree_(volume),
      mounts_(mounts),
      top_(std::move(top)),
      options_(options),
      directories_{parent} {}

// The top has the name that was asked for; the root of the volume, of which the top may be, is its
// own parent and has none.
Result<PresentTarget::Place> PresentTarget::find(const std::string& name) {
  Place place{.parent = directories_.back(), .name = name, .existing = {}};
  if (directories_.size() > 1) {
    place.existing = TRY(look_up(tree_, place.parent, name));
  } else if (top_.empty()) {
    place.existing = TRY(tree_.get_attr(kRootInode));
  } else {
    place.name = top_.back();
    place.existing = TRY(look_up(tree_, place.parent, place.name));
  }
  return place;
}

std::string PresentTarget::path_of(const Place& place) const {
  PathComponents path(top_.begin(), top_.end() - (top_.empty() ? 0 : 1));
  path.insert(path.end(), names_.begin(), names_.end());
  path.push_back(place.name);
  std::erase(path, "");  // the root's name
  return join_path(path);
}

Result<PresentTarget::Action> PresentTarget::choose(const Place& place,
                                                    const PastFile& file) const {
  if (!place.existing) return Action::kCreate;
  const meta::Attr& existing = *place.existing;
  const bool same_kind = existing.type == file.attr.type && existing.rdev == file.attr.rdev;
  const bool is_top = directories_.size() == 1;
  const bool merged = file.attr.type == FileType::kDirectory && !is_top;
  const bool is_itself = options_.in_place || existing.ino == file.attr.ino || merged;
  if (!options_.force && (!is_itself || !same_kind)) {
    return Error(
        Code::kExists,
        fmt::format("{} exists{}: --force replaces it, --to NEW puts the old one elsewhere",
                    path_of(place), same_kind ? "" : " and is now something else"));
  }
  if (!same_kind) return Action::kReplace;
  switch (file.attr.type) {
    case FileType::kRegular:
      return is_itself ? Action::kOverlay : Action::kReplace;
    case FileType::kSymlink:
      return Action::kReplace;  // a target cannot be changed
    default:
      return Action::kAttributes;
  }
}

// A file without content, known under `name`. The caller gives its reference back.
Result<InodeId> PresentTarget::make(const Place& place, const std::string& name,
                                    const PastFile& file) {
  const fs::NewNode node{.type = file.attr.type,
                         .mode = file.attr.type == FileType::kDirectory ? 0700u : 0600u,
                         .rdev = file.attr.rdev,
                         .target = file.target};
  const fs::Entry made = TRY(tree_.make_node(kRoot, place.parent, name, node));
  return made.attr.ino;
}

Status PresentTarget::create(const Place& place, const PastFile& file) {
  const auto twin = linked_.find(file.attr.ino);
  if (twin != linked_.end()) {
    const Referred referred(tree_,
                            TRY(tree_.link(twin->second, place.parent, place.name)).attr.ino);
    changed(place);
    return {};
  }
  const InodeId ino = TRY(make(place, place.name, file));
  const Referred referred(tree_, ino);
  changed(place);
  if (file.attr.type == FileType::kRegular) {
    TRY(volume_.restore_content(file.attr.ino, file.at, ino));
  }
  if (file.attr.nlink > 1) linked_[file.attr.ino] = ino;
  return apply_attributes(ino, file);
}

Status PresentTarget::overlay(const Place& place, const PastFile& file) {
  const InodeId ino = place.existing->ino;
  const auto change = [&]() -> Result<meta::Attr> {
    TRY(volume_.restore_content(file.attr.ino, file.at, ino));
    return file.attr;
  };
  if (mounts_ == nullptr) {
    TRY(change());
    return apply_attributes(ino, file);
  }
  const Status laid = mounts_->change_content(path_of(place).substr(1), ino, change);
  // Not even its owner may open it: then another file takes its place.
  if (!laid.ok() && laid.code() == Code::kAccess) return replace(place, file);
  TRY(Status(laid));
  TRY(apply_attributes(ino, file));
  mounts_->forget_inode(ino);
  return {};
}

// Beside the old one first, so that at every moment one of the two is there.
Status PresentTarget::replace(const Place& place, const PastFile& file) {
  TRY(make_room(place));
  const std::string beside = fmt::format(".nacre-restore-{:016x}", volume_.random().next());
  Place temporary{.parent = place.parent, .name = beside, .existing = {}};
  TRY(create(temporary, file));
  const Status renamed =
      tree_.rename(place.parent, beside, place.parent, place.name, fs::RenameMode::kReplace);
  if (!renamed.ok()) [[maybe_unused]]
    const Status removed = tree_.unlink(place.parent, beside);
  changed(temporary);
  changed(place);
  return renamed;
}

// Only an empty directory gives way to a file.
Status PresentTarget::make_room(const Place& place) {
  if (place.existing->type != FileType::kDirectory) return {};
  Status removed = tree_.remove_directory(place.parent, place.name);
  if (removed.ok() || removed.code() != Code::kNotEmpty) return removed;
  return Error(Code::kNotEmpty, path_of(place) +
                                    " is now a directory with files in it: remove it, "
                                    "or restore to another place");
}

Status PresentTarget::apply_xattrs(InodeId ino, const PastFile& file) {
  for (const std::string& name : TRY(tree_.list_xattrs(ino))) {
    const bool wanted =
        std::ranges::any_of(file.xattrs, [&](const auto& x) { return x.first == name; });
    if (!wanted) TRY(tree_.remove_xattr(ino, name));
  }
  for (const auto& [name, value] : file.xattrs) {
    TRY(tree_.set_xattr(ino, name, value, fs::XattrMode::kSet, false));
  }
  return {};
}

// The mode comes after the owner, whose change would take setuid away, and after the ACLs, which
// carry a part of it.
Status PresentTarget::apply_attributes(InodeId ino, const PastFile& file) {
  meta::SetAttr owner;
  owner.uid = file.attr.uid;
  owner.gid = file.attr.gid;
  TRY(tree_.set_attr(kRoot, ino, owner));
  TRY(apply_xattrs(ino, file));
  meta::SetAttr rest;
  if (file.attr.type != FileType::kSymlink) rest.mode = file.attr.mode;
  rest.atime = file.attr.atime;
  rest.mtime = file.attr.mtime;
  TRY(tree_.set_attr(kRoot, ino, rest));
  return {};
}

void PresentTarget::changed(const Place& place) {
  if (mounts_ == nullptr) return;
  mounts_->forget_entry(place.parent, place.name);
  mounts_->forget_inode(place.parent);
}

Status PresentTarget::enter_directory(const std::string& name, const PastFile& directory) {
  const Place place = TRY(find(name));
  const Action action = TRY(choose(place, directory));
  InodeId ino = place.existing ? place.existing->ino : InodeId{};
  if (action == Action::kReplace && !options_.dry_run) {
    TRY(tree_.unlink(place.parent, place.name));
    changed(place);
  }
  if (action == Action::kReplace || action == Action::kCreate) {
    ino = InodeId{};
    if (!options_.dry_run) {
      ino = TRY(make(place, place.name, directory));
      const Referred referred(tree_, ino);
      changed(place);
    }
  }
  names_.push_back(place.name);
  directories_.push_back(ino);
  return {};
}

Status PresentTarget::leave_directory(const PastFile& directory) {
  const InodeId ino = directories_.back();
  directories_.pop_back();
  names_.pop_back();
  if (options_.dry_run) return {};
  TRY(apply_attributes(ino, directory));
  if (mounts_ != nullptr) mounts_->forget_inode(ino);
  return {};
}

Status PresentTarget::put(const std::string& name, const PastFile& file) {
  const Place place = TRY(find(name));
  const Action action = TRY(choose(place, file));
  if (options_.dry_run) return {};
  switch (action) {
    case Action::kCreate:
      return create(place, file);
    case Action::kOverlay:
      return overlay(place, file);
    case Action::kReplace:
      return replace(place, file);
    case Action::kAttributes:
      TRY(apply_attributes(place.existing->ino, file));
      if (mounts_ != nullptr) mounts_->forget_inode(place.existing->ino);
      return {};
  }
  return {};
}

Status make_parents(fs::Volume& volume, Mounts* mounts, const PathComponents& path, Sequence at) {
  fs::LiveTree tree(volume);
  InodeId parent = kRootInode;
  for (size_t depth = 1; depth < path.size(); ++depth) {
    const PathComponents directory(path.begin(), path.begin() + static_cast<ptrdiff_t>(depth));
    const auto found = TRY(look_up(tree, parent, directory.back()));
    if (found) {
      parent = found->ino;
      continue;
    }
    PastFile past{.at = at, .attr = {}, .target = {}, .xattrs = {}};
    past.attr.type = FileType::kDirectory;
    past.attr.mode = 0755;
    past.attr.atime = past.attr.mtime = volume.clock().now();
    const auto tenures = TRY(tenures_of(volume.rows(), volume.settings().name_key, directory));
    for (const Tenure& tenure : tenures) {
      if (tenure.begin > at || (tenure.end && *tenure.end <= at)) continue;
      auto known = load_past_file(volume.rows(), at, tenure.ino);
      if (known.ok()) past = known.take();
    }
    PresentTarget target = TRY(PresentTarget::open(volume, mounts, directory, {}));
    TRY(target.enter_directory("", past));
    TRY(target.leave_directory(past));
    parent = TRY(look_up(tree, parent, directory.back())).value_or(meta::Attr{}).ino;
  }
  return {};
}

}  // namespace nacre::node
