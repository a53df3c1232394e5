#include "fs/mounted_tree.h"

#include "meta/moments.h"

namespace nacre::fs {

namespace {

// `.nacre` and its two directories; numbers below those the past gives out.
constexpr InodeId kHidden{kViewBit | 1};
constexpr InodeId kAt{kViewBit | 2};
constexpr InodeId kSnapshots{kViewBit | 3};

bool is_hidden(InodeId ino) { return ino == kHidden || ino == kAt || ino == kSnapshots; }

}  // namespace

Tree* MountedTree::tree_of(InodeId ino) {
  if (!(ino.value & kViewBit)) return &live_;
  return is_hidden(ino) ? nullptr : static_cast<Tree*>(&past_);
}

Status MountedTree::check_change(InodeId parent, std::string_view name) {
  if (parent.value & kViewBit) return Code::kReadOnly;
  if (parent == kRootInode && name == kHiddenName) return Code::kNotPermitted;
  return {};
}

Result<meta::Attr> MountedTree::hidden_attr(InodeId ino) {
  meta::Attr attr = TRY(live_.get_attr(kRootInode));
  attr.ino = ino;
  attr.mode = 0555;
  attr.nlink = ino == kHidden ? 4 : 2;
  attr.size = 0;
  attr.allocated_bytes = 0;
  return attr;
}

Result<Entry> MountedTree::lookup_hidden(InodeId parent, std::string_view name) {
  if (parent == kHidden) {
    if (name == "at") return Entry{TRY(hidden_attr(kAt)), false};
    if (name == "snapshots") return Entry{TRY(hidden_attr(kSnapshots)), false};
    return Code::kNotFound;
  }
  meta::When when;
  if (parent == kSnapshots) {
    when.name = name;
  } else {
    auto parsed = meta::parse_when(name, volume_.now());
    if (!parsed.ok()) return Code::kNotFound;
    when = parsed.take();
  }
  Entry root = TRY(past_.root(TRY(meta::resolve(volume_.rows(), when))));
  root.cacheable = false;
  return root;
}

Result<Entry> MountedTree::lookup(InodeId parent, std::string_view name) {
  if (is_hidden(parent)) return lookup_hidden(parent, name);
  if (parent == kRootInode && name == kHiddenName) return Entry{TRY(hidden_attr(kHidden)), false};
  return tree_of(parent)->lookup(parent, name);
}

void MountedTree::forget(InodeId ino, uint64_t references) {
  if (Tree* tree = tree_of(ino)) tree->forget(ino, references);
}

Result<meta::Attr> MountedTree::get_attr(InodeId ino) {
  Tree* tree = tree_of(ino);
  return tree != nullptr ? tree->get_attr(ino) : hidden_attr(ino);
}

Result<meta::Attr> MountedTree::set_attr(const Caller& caller, InodeId ino,
                                         const meta::SetAttr& change) {
  if (ino.value & kViewBit) return Code::kReadOnly;
  return live_.set_attr(caller, ino, change);
}

Result<std::string> MountedTree::read_link(InodeId ino) {
  Tree* tree = tree_of(ino);
  return tree != nullptr ? tree->read_link(ino) : Result<std::string>(Code::kInvalid);
}

Result<Entry> MountedTree::make_node(const Caller& caller, InodeId parent, std::string_view name,
                                     const NewNode& node) {
  TRY(check_change(parent, name));
  return live_.make_node(caller, parent, name, node);
}

Result<Entry> MountedTree::link(InodeId ino, InodeId new_parent, std::string_view new_name) {
  TRY(check_change(new_parent, new_name));
  if (ino.value & kViewBit) return Code::kCrossDevice;
  return live_.link(ino, new_parent, new_name);
}

Status MountedTree::unlink(InodeId parent, std::string_view name) {
  TRY(check_change(parent, name));
  return live_.unlink(parent, name);
}

Status MountedTree::remove_directory(InodeId parent, std::string_view name) {
  TRY(check_change(parent, name));
  return live_.remove_directory(parent, name);
}

Status MountedTree::rename(InodeId parent, std::string_view name, InodeId new_parent,
                           std::string_view new_name, RenameMode mode) {
  TRY(check_change(parent, name));
  TRY(check_change(new_parent, new_name));
  return live_.rename(parent, name, new_parent, new_name, mode);
}

Status MountedTree::read_hidden(InodeId ino, uint64_t cookie,
                                const std::function<bool(const DirectoryEntry&)>& sink) {
  std::vector<std::string> names;
  if (ino == kHidden) names = {"at", "snapshots"};
  if (ino == kSnapshots) {
    for (const meta::Snapshot& snapshot : TRY(meta::list_snapshots(volume_.rows()))) {
      names.push_back(snapshot.name);
    }
  }
  const InodeId parent = ino == kHidden ? kRootInode : kHidden;
  const auto type = meta::FileType::kDirectory;
  if (cookie < 1 && !sink({".", ino, type, 1, nullptr})) return {};
  if (cookie < 2 && !sink({"..", parent, type, 2, nullptr})) return {};
  for (size_t i = 0; i < names.size(); ++i) {
    if (i + 3 <= cookie) continue;
    const InodeId number = ino == kHidden ? (i == 0 ? kAt : kSnapshots) : ino;
    if (!sink({names[i], number, type, i + 3, nullptr})) return {};
  }
  return {};
}

Status MountedTree::read_directory(InodeId ino, uint64_t cookie, bool with_attr,
                                   const std::function<bool(const DirectoryEntry&)>& sink) {
  Tree* tree = tree_of(ino);
  if (tree == nullptr) return read_hidden(ino, cookie, sink);
  return tree->read_directory(ino, cookie, with_attr, sink);
}

Result<size_t> MountedTree::read(InodeId ino, uint64_t offset, MutableBytes into) {
  Tree* tree = tree_of(ino);
  return tree != nullptr ? tree->read(ino, offset, into) : Result<size_t>(Code::kIsDirectory);
}

Status MountedTree::write(InodeId ino, uint64_t offset, ByteView data,
                          const WriteOptions& options) {
  if (ino.value & kViewBit) return Code::kReadOnly;
  return live_.write(ino, offset, data, options);
}

Status MountedTree::admit_write(InodeId ino, uint64_t bytes) {
  if (ino.value & kViewBit) return Code::kReadOnly;
  return live_.admit_write(ino, bytes);
}

Status MountedTree::sync(InodeId ino, SyncScope scope) {
  if (ino.value & kViewBit) return {};
  return live_.sync(ino, scope);
}

Status MountedTree::allocate(InodeId ino, uint64_t offset, uint64_t length, AllocateMode mode) {
  if (ino.value & kViewBit) return Code::kReadOnly;
  return live_.allocate(ino, offset, length, mode);
}

Result<uint64_t> MountedTree::seek(InodeId ino, uint64_t offset, SeekKind kind) {
  Tree* tree = tree_of(ino);
  return tree != nullptr ? tree->seek(ino, offset, kind) : Result<uint64_t>(Code::kIsDirectory);
}

// From the past to the present too: a copy back is a reflink.
Result<uint64_t> MountedTree::copy_range(InodeId from, uint64_t from_offset, InodeId to,
                                         uint64_t to_offset, uint64_t length) {
  if (to.value & kViewBit) return Code::kReadOnly;
  if (!(from.value & kViewBit)) {
    return live_.copy_range(from, from_offset, to, to_offset, length);
  }
  const auto node = TRY(past_.node_of(from));
  const meta::Attr attr = TRY(past_.get_attr(from));
  if (attr.type != meta::FileType::kRegular) return Code::kInvalid;
  return volume_.copy_past_range(node.at, node.ino, attr.size, from_offset, to, to_offset, length,
                                 live_.times());
}

Result<std::string> MountedTree::get_xattr(InodeId ino, std::string_view name) {
  Tree* tree = tree_of(ino);
  return tree != nullptr ? tree->get_xattr(ino, name) : Result<std::string>(Code::kNoData);
}

Status MountedTree::set_xattr(InodeId ino, std::string_view name, std::string_view value,
                              XattrMode mode, bool kill_sgid) {
  if (ino.value & kViewBit) return Code::kReadOnly;
  return live_.set_xattr(ino, name, value, mode, kill_sgid);
}

Result<std::vector<std::string>> MountedTree::list_xattrs(InodeId ino) {
  Tree* tree = tree_of(ino);
  if (tree == nullptr) return std::vector<std::string>();
  return tree->list_xattrs(ino);
}

Status MountedTree::remove_xattr(InodeId ino, std::string_view name) {
  if (ino.value & kViewBit) return Code::kReadOnly;
  return live_.remove_xattr(ino, name);
}

}  // namespace nacre::fs
