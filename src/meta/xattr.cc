// Extended attributes: one row each, with limits like ext4's.
#include "meta/namespace.h"

namespace nacre::meta {

Status Namespace::set_xattr(InodeId ino, std::string_view name, std::string_view value, bool create,
                            bool replace) {
  if (name.empty()) return Code::kInvalid;
  if (name.size() > kMaxXattrNameBytes) return Code::kOutOfRange;
  if (value.size() > kMaxXattrValueBytes) return Code::kOutOfRange;
  Inode inode = TRY(load_inode(rows_, ino));
  const std::string key = wire::xattr_key(ino, name);
  const auto current = TRY(rows_.get(key));
  if (create && current) return Code::kExists;
  if (replace && !current) return Code::kNoData;
  rows_.put(key, wire::encode(wire::XattrRow{{}, std::string(value)}), current);
  inode.row.flags |= wire::kInodeHasXattrs;
  inode.row.ctime = clock_.now();
  store(inode);
  return {};
}

Status Namespace::remove_xattr(InodeId ino, std::string_view name) {
  Inode inode = TRY(load_inode(rows_, ino));
  const std::string key = wire::xattr_key(ino, name);
  const auto current = TRY(rows_.get(key));
  if (!current) return Code::kNoData;
  rows_.erase(key, current);
  inode.row.ctime = clock_.now();
  store(inode);
  return {};
}

}  // namespace nacre::meta
