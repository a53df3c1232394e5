// New inodes and new names: mknod, create, mkdir, symlink, link.
#include "meta/namespace.h"

namespace nacre::meta {

Result<Inode> Namespace::make(InodeId parent, std::string_view name, const NewInode& node) {
  TRY(check_name(name));
  if (node.target.size() > kMaxSymlinkBytes) return Code::kNameTooLong;
  Inode directory = TRY(load_open_directory(parent));
  const bool is_directory = node.type == FileType::kDirectory;
  const uint64_t cookie = TRY(free_cookie(parent, name));
  if (is_directory && directory.row.nlink >= kMaxLinks) return Code::kTooManyLinks;

  Inode inode;
  inode.ino = InodeId{state_.next_inode++};
  ++state_.inodes;
  inode.row.type = static_cast<uint8_t>(node.type);
  inode.row.mode = node.mode;
  inode.row.uid = node.uid;
  inode.row.gid = node.gid;
  inode.row.nlink = is_directory ? 2 : 1;
  inode.row.rdev = node.rdev;
  inode.row.size = node.target.size();
  inode.row.target = node.target;
  inode.row.birth = {random_.next(), random_.next()};
  inode.row.parent = is_directory ? parent : InodeId{};
  inode.row.atime = inode.row.mtime = inode.row.ctime = inode.row.btime = clock_.now();
  inode.stored = wire::encode(inode.row);
  rows_.put(wire::inode_key(inode.ino), inode.stored, std::nullopt);
  insert(parent, cookie, name, inode.ino, node.type);
  touch_directory(directory, 1, is_directory ? 1 : 0);
  return inode;
}

Result<Inode> Namespace::link(InodeId ino, InodeId parent, std::string_view name) {
  TRY(check_name(name));
  Inode directory = TRY(load_open_directory(parent));
  Inode inode = TRY(load_inode(rows_, ino));
  if (inode.is_directory()) return Code::kNotPermitted;
  if (inode.row.nlink == 0) return Code::kNotFound;
  if (inode.row.nlink >= kMaxLinks) return Code::kTooManyLinks;
  const uint64_t cookie = TRY(free_cookie(parent, name));
  ++inode.row.nlink;
  inode.row.ctime = clock_.now();
  store(inode);
  insert(parent, cookie, name, ino, inode.type());
  touch_directory(directory, 1, 0);
  return inode;
}

}  // namespace nacre::meta
