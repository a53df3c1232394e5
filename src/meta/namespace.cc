// What the operation families share: rows in, rows out, and the books of directories.
#include "meta/namespace.h"

#include "base/check.h"

namespace nacre::meta {

void Namespace::make_root(uint32_t uid, uint32_t gid, uint32_t mode) {
  Inode root;
  root.ino = kRootInode;
  root.row.type = static_cast<uint8_t>(FileType::kDirectory);
  root.row.mode = mode;
  root.row.uid = uid;
  root.row.gid = gid;
  root.row.nlink = 2;
  root.row.parent = kRootInode;
  root.row.birth = {random_.next(), random_.next()};
  root.row.atime = root.row.mtime = root.row.ctime = root.row.btime = clock_.now();
  rows_.put(wire::inode_key(kRootInode), wire::encode(root.row), std::nullopt);
  state_.next_inode = kRootInode.value + 1;
  state_.inodes = 1;
}

Result<Inode> Namespace::lookup(InodeId parent, std::string_view name) const {
  const auto dentry = TRY(find_dentry(rows_, name_key_, parent, name));
  if (!dentry) return Code::kNotFound;
  auto inode = load_inode(rows_, dentry->row.ino);
  if (!inode.ok() && inode.code() == Code::kNotFound) {
    return Error(Code::kCorrupt, "'" + std::string(name) +
                                     "' names an inode that does not exist: " + "run nacre check");
  }
  return inode;
}

void Namespace::store(const Inode& inode) {
  rows_.put(wire::inode_key(inode.ino), wire::encode(inode.row), inode.stored);
}

void Namespace::insert(InodeId parent, uint64_t cookie, std::string_view name, InodeId ino,
                       FileType type) {
  wire::DentryRow row;
  row.ino = ino;
  row.type = static_cast<uint8_t>(type);
  row.name = name;
  rows_.put(wire::dentry_key(parent, cookie), wire::encode(row), std::nullopt);
}

// The last name of the hash moves into the gap, so that the slots stay without gaps.
Status Namespace::erase(InodeId parent, const Dentry& dentry) {
  const uint64_t first = dentry.cookie / wire::kCookieSlots * wire::kCookieSlots;
  uint64_t last = dentry.cookie;
  std::string last_stored = dentry.stored;
  while (last + 1 < first + wire::kCookieSlots) {
    auto next = TRY(rows_.get(wire::dentry_key(parent, last + 1)));
    if (!next) break;
    last_stored = std::move(*next);
    ++last;
  }
  if (last != dentry.cookie) {
    rows_.put(wire::dentry_key(parent, dentry.cookie), last_stored, dentry.stored);
  }
  rows_.erase(wire::dentry_key(parent, last), last_stored);
  return {};
}

Result<uint64_t> Namespace::free_cookie(InodeId parent, std::string_view name) const {
  const uint64_t first = cookie_of(name_key_, name);
  for (uint64_t cookie = first; cookie < first + wire::kCookieSlots; ++cookie) {
    const auto stored = TRY(rows_.get(wire::dentry_key(parent, cookie)));
    if (!stored) return cookie;
    if (TRY(wire::decode_dentry(*stored)).name == name) return Code::kExists;
  }
  return Error(Code::kNoSpace, "eight names of this directory share one hash");
}

Result<Inode> Namespace::load_open_directory(InodeId ino) const {
  Inode directory = TRY(load_directory(rows_, ino));
  if (directory.row.nlink == 0) return Code::kNotFound;
  return directory;
}

void Namespace::touch_directory(Inode& directory, int64_t entries, int64_t subdirectories) {
  directory.row.size = static_cast<uint64_t>(static_cast<int64_t>(directory.row.size) + entries);
  directory.row.nlink =
      static_cast<uint32_t>(static_cast<int64_t>(directory.row.nlink) + subdirectories);
  directory.row.mtime = directory.row.ctime = clock_.now();
  store(directory);
}

}  // namespace nacre::meta
