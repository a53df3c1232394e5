// Names and inodes go: unlink, rmdir, and the end of an inode without names.
#include "meta/namespace.h"

namespace nacre::meta {

// Takes one name away. An inode left without names becomes an orphan: it lives until drop().
Unlinked Namespace::drop_link(Inode& inode) {
  inode.row.nlink = inode.is_directory() ? 0 : inode.row.nlink - 1;
  inode.row.ctime = clock_.now();
  store(inode);
  const bool last = inode.row.nlink == 0;
  if (last) rows_.put_volume(wire::orphan_key(inode.ino), "");
  return {inode.ino, inode.type(), last};
}

Result<Unlinked> Namespace::unlink(InodeId parent, std::string_view name) {
  Inode directory = TRY(load_open_directory(parent));
  const auto dentry = TRY(find_dentry(rows_, name_key_, parent, name));
  if (!dentry) return Code::kNotFound;
  Inode inode = TRY(load_inode(rows_, dentry->row.ino));
  if (inode.is_directory()) return Code::kIsDirectory;
  TRY(erase(parent, *dentry));
  touch_directory(directory, -1, 0);
  return drop_link(inode);
}

Result<Unlinked> Namespace::remove_directory(InodeId parent, std::string_view name) {
  Inode directory = TRY(load_open_directory(parent));
  const auto dentry = TRY(find_dentry(rows_, name_key_, parent, name));
  if (!dentry) return Code::kNotFound;
  Inode inode = TRY(load_inode(rows_, dentry->row.ino));
  if (!inode.is_directory()) return Code::kNotDirectory;
  if (inode.row.size != 0) return Code::kNotEmpty;
  TRY(erase(parent, *dentry));
  touch_directory(directory, -1, -1);
  return drop_link(inode);
}

Status Namespace::drop(InodeId ino) {
  const Inode inode = TRY(load_inode(rows_, ino));
  if (inode.row.flags & wire::kInodeHasXattrs) {
    for (const std::string& name : TRY(list_xattrs(rows_, ino))) {
      const std::string key = wire::xattr_key(ino, name);
      rows_.erase(key, TRY(rows_.get(key)));
    }
  }
  rows_.erase(wire::inode_key(ino), inode.stored);
  --state_.inodes;
  return {};
}

}  // namespace nacre::meta
