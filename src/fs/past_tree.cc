#include "fs/past_tree.h"

#include <algorithm>

#include "meta/extents.h"

namespace nacre::fs {

namespace {

constexpr unsigned kInodeBits = 43;
constexpr uint64_t kInodeMask = (uint64_t{1} << kInodeBits) - 1;
constexpr size_t kMaxViews = size_t{1} << 20;
constexpr uint64_t kDotCookie = 1;
constexpr uint64_t kDotDotCookie = 2;

}  // namespace

Result<PastTree::Node> PastTree::node_of(InodeId seen) const {
  if (seen == kRootInode && root_at_) return Node{*root_at_, kRootInode};
  const os::Lock lock(mutex_);
  const uint64_t view = (seen.value & ~kViewBit) >> kInodeBits;
  if (!(seen.value & kViewBit) || view >= views_.size() || views_[view].references == 0) {
    return Code::kNotFound;
  }
  return Node{views_[view].at, InodeId{seen.value & kInodeMask}};
}

Result<InodeId> PastTree::refer(const Node& node) {
  if (root_at_ && node.ino == kRootInode) return kRootInode;
  if (node.ino.value > kInodeMask) return Code::kUnsupported;
  const os::Lock lock(mutex_);
  auto found = index_.find(node.at);
  if (found == index_.end()) {
    if (unused_.empty()) {
      if (views_.size() >= kMaxViews) return Code::kNoSpace;
      unused_.push_back(views_.size());
      views_.emplace_back();
    }
    found = index_.emplace(node.at, unused_.back()).first;
    unused_.pop_back();
    views_[found->second].at = node.at;
  }
  ++views_[found->second].references;
  return InodeId{kViewBit | found->second << kInodeBits | node.ino.value};
}

InodeId PastTree::sibling(InodeId seen, InodeId ino) const {
  if (root_at_ && ino == kRootInode) return kRootInode;
  if (seen != kRootInode) return InodeId{(seen.value & ~kInodeMask) | ino.value};
  const os::Lock lock(mutex_);
  const auto view = index_.find(*root_at_);
  return InodeId{kViewBit | (view == index_.end() ? 1 : view->second) << kInodeBits | ino.value};
}

void PastTree::forget(InodeId ino, uint64_t references) {
  if (!(ino.value & kViewBit)) return;
  const os::Lock lock(mutex_);
  const uint64_t index = (ino.value & ~kViewBit) >> kInodeBits;
  if (index >= views_.size() || views_[index].references == 0) return;
  View& view = views_[index];
  view.references -= std::min(view.references, references);
  if (view.references != 0) return;
  index_.erase(view.at);
  unused_.push_back(index);
}

Result<Entry> PastTree::entry_of(Sequence at, const meta::Inode& inode) {
  Entry entry{meta::attr_of(inode), true};
  entry.attr.ino = TRY(refer({at, inode.ino}));
  return entry;
}

Result<Entry> PastTree::root(Sequence at) {
  const meta::PastRows rows(volume_.rows(), at);
  return entry_of(at, TRY(meta::load_inode(rows, kRootInode)));
}

Result<Entry> PastTree::lookup(InodeId parent, std::string_view name) {
  const Node directory = TRY(node_of(parent));
  const meta::PastRows rows(volume_.rows(), directory.at);
  const auto dentry =
      TRY(meta::find_dentry(rows, volume_.settings().name_key, directory.ino, name));
  if (!dentry) return Code::kNotFound;
  return entry_of(directory.at, TRY(meta::load_inode(rows, dentry->row.ino)));
}

Result<meta::Attr> PastTree::get_attr(InodeId ino) {
  const Node node = TRY(node_of(ino));
  const meta::PastRows rows(volume_.rows(), node.at);
  meta::Attr attr = meta::attr_of(TRY(meta::load_inode(rows, node.ino)));
  attr.ino = ino;
  return attr;
}

Result<std::string> PastTree::read_link(InodeId ino) {
  const Node node = TRY(node_of(ino));
  const meta::PastRows rows(volume_.rows(), node.at);
  const meta::Inode inode = TRY(meta::load_inode(rows, node.ino));
  if (inode.type() != meta::FileType::kSymlink) return Code::kInvalid;
  return inode.row.target;
}

Status PastTree::read_directory(InodeId ino, uint64_t cookie, bool with_attr,
                                const std::function<bool(const DirectoryEntry&)>& sink) {
  const Node node = TRY(node_of(ino));
  const meta::PastRows rows(volume_.rows(), node.at);
  const meta::Inode directory = TRY(meta::load_directory(rows, node.ino));
  const auto type = meta::FileType::kDirectory;
  if (cookie < kDotCookie && !sink({".", ino, type, kDotCookie, nullptr})) return {};
  if (cookie < kDotDotCookie) {
    const InodeId parent = node.ino == kRootInode ? ino : sibling(ino, directory.row.parent);
    if (!sink({"..", parent, type, kDotDotCookie, nullptr})) return {};
  }
  Status failure;
  TRY(meta::visit_directory(
      rows, node.ino, std::max(cookie, kDotDotCookie), [&](const meta::Dentry& dentry) {
        DirectoryEntry entry{dentry.row.name,
                             {},
                             static_cast<meta::FileType>(dentry.row.type),
                             dentry.cookie,
                             nullptr};
        if (!with_attr) {
          entry.ino = sibling(ino, dentry.row.ino);
          return sink(entry);
        }
        auto seen = [&]() -> Result<Entry> {
          return entry_of(node.at, TRY(meta::load_inode(rows, dentry.row.ino)));
        }();
        if (!seen.ok()) {
          failure = std::move(seen).error();
          return false;
        }
        const meta::Attr attr = seen->attr;
        entry.ino = attr.ino;
        entry.attr = &attr;
        if (sink(entry)) return true;
        forget(entry.ino, 1);
        return false;
      }));
  return failure;
}

Result<size_t> PastTree::read(InodeId ino, uint64_t offset, MutableBytes into) {
  const Node node = TRY(node_of(ino));
  const meta::PastRows rows(volume_.rows(), node.at);
  const meta::Inode inode = TRY(meta::load_inode(rows, node.ino));
  if (inode.is_directory()) return Code::kIsDirectory;
  if (inode.type() != meta::FileType::kRegular) return Code::kInvalid;
  return volume_.read_past(node.at, node.ino, inode.row.size, offset, into);
}

Status PastTree::sync(InodeId, SyncScope) { return {}; }

Result<uint64_t> PastTree::seek(InodeId ino, uint64_t offset, SeekKind kind) {
  const Node node = TRY(node_of(ino));
  const meta::PastRows rows(volume_.rows(), node.at);
  const meta::Inode inode = TRY(meta::load_inode(rows, node.ino));
  if (inode.type() != meta::FileType::kRegular) return Code::kInvalid;
  const uint64_t size = inode.row.size;
  if (offset >= size) return Code::kNoData;
  uint64_t at = offset;  // everything before it is of the other kind
  std::optional<uint64_t> found;
  TRY(meta::visit_past_extents(volume_.rows(), node.at, volume_.settings().block_size, node.ino,
                               offset, size, [&](const meta::Extent& extent) {
                                 const bool data = extent.row.kind != wire::ExtentKind::kUnwritten;
                                 const uint64_t from = std::max(extent.offset, at);
                                 if (kind == SeekKind::kHole) {
                                   if (from > at || !data) found = from > at ? at : from;
                                 } else if (data) {
                                   found = from;
                                 }
                                 at = extent.end();
                                 return !found;
                               }));
  if (found) return *found;
  if (kind == SeekKind::kHole) return std::min(at, size);
  return Code::kNoData;
}

Result<std::string> PastTree::get_xattr(InodeId ino, std::string_view name) {
  const Node node = TRY(node_of(ino));
  const meta::PastRows rows(volume_.rows(), node.at);
  auto value = TRY(meta::load_xattr(rows, node.ino, name));
  if (!value) return Code::kNoData;
  return std::move(*value);
}

Result<std::vector<std::string>> PastTree::list_xattrs(InodeId ino) {
  const Node node = TRY(node_of(ino));
  const meta::PastRows rows(volume_.rows(), node.at);
  return meta::list_xattrs(rows, node.ino);
}

Result<TreeSpace> PastTree::space() {
  const VolumeUsage usage = volume_.usage();
  TreeSpace space;
  space.blocks = usage.capacity / space.block_bytes;
  space.available_blocks = space.free_blocks = usage.available / space.block_bytes;
  space.inodes = usage.inodes;
  return space;
}

}  // namespace nacre::fs
