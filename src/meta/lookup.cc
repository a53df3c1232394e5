#include "meta/lookup.h"

#include <fmt/format.h>
#include <sodium.h>

#include <cstring>

namespace nacre::meta {

uint64_t cookie_of(const NameKey& key, std::string_view name) {
  uint64_t hash = 0;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash),
                   reinterpret_cast<const unsigned char*>(name.data()), name.size(), key.data());
  const uint64_t cookie = hash >> 4 << 3;
  return cookie < wire::kFirstCookie ? wire::kFirstCookie : cookie;
}

Result<Inode> load_inode(const RowSource& rows, InodeId ino) {
  auto stored = TRY(rows.get(wire::inode_key(ino)));
  if (!stored) return Code::kNotFound;
  auto row = wire::decode_inode(*stored);
  if (!row) return Error(row.code(), fmt::format("inode {}: {}", ino.value, row.error().context()));
  return Inode{ino, row.take(), std::move(*stored)};
}

Result<Inode> load_directory(const RowSource& rows, InodeId ino) {
  Inode inode = TRY(load_inode(rows, ino));
  if (!inode.is_directory()) return Code::kNotDirectory;
  return inode;
}

// The slots of a hash are filled from the first on, without gaps: the first empty one ends the
// search.
Result<std::optional<Dentry>> find_dentry(const RowSource& rows, const NameKey& key, InodeId parent,
                                          std::string_view name) {
  if (name.size() > kMaxNameBytes) return Code::kNameTooLong;
  const uint64_t first = cookie_of(key, name);
  for (uint64_t cookie = first; cookie < first + wire::kCookieSlots; ++cookie) {
    auto stored = TRY(rows.get(wire::dentry_key(parent, cookie)));
    if (!stored) break;
    auto row = TRY(wire::decode_dentry(*stored));
    if (row.name == name)
      return std::optional<Dentry>({cookie, std::move(row), std::move(*stored)});
  }
  return std::optional<Dentry>();
}

Status visit_directory(const RowSource& rows, InodeId parent, uint64_t after,
                       const std::function<bool(const Dentry&)>& visit) {
  Status failure;
  TRY(rows.scan({wire::dentry_key(parent, after + 1), kv::prefix_end(wire::dentry_prefix(parent))},
                [&](std::string_view key, std::string_view value) {
                  auto live = wire::decode_live_key(key);
                  auto row = wire::decode_dentry(value);
                  if (!live || !row) {
                    failure = live ? std::move(row).error() : std::move(live).error();
                    return false;
                  }
                  return visit({live->position, row.take(), {}});
                }));
  return failure;
}

Result<std::optional<std::string>> load_xattr(const RowSource& rows, InodeId ino,
                                              std::string_view name) {
  const auto stored = TRY(rows.get(wire::xattr_key(ino, name)));
  if (!stored) return std::optional<std::string>();
  return std::optional<std::string>(TRY(wire::decode_xattr(*stored)).value);
}

Result<std::vector<std::string>> list_xattrs(const RowSource& rows, InodeId ino) {
  std::vector<std::string> names;
  Status failure;
  TRY(rows.scan(kv::prefix_range(wire::xattr_prefix(ino)),
                [&](std::string_view key, std::string_view) {
                  auto live = wire::decode_live_key(key);
                  if (!live) {
                    failure = std::move(live).error();
                    return false;
                  }
                  names.emplace_back(live->name);
                  return true;
                }));
  TRY(std::move(failure));
  return names;
}

Attr attr_of(const Inode& inode) {
  const wire::InodeRow& row = inode.row;
  Attr attr;
  attr.ino = inode.ino;
  attr.birth = row.birth;
  attr.type = inode.type();
  attr.mode = row.mode;
  attr.uid = row.uid;
  attr.gid = row.gid;
  attr.nlink = row.nlink;
  attr.rdev = row.rdev;
  attr.size = row.size;
  attr.allocated_bytes = row.allocated_bytes;
  attr.atime = row.atime;
  attr.mtime = row.mtime;
  attr.ctime = row.ctime;
  attr.btime = row.btime;
  return attr;
}

Status check_name(std::string_view name) {
  if (name.size() > kMaxNameBytes) return Code::kNameTooLong;
  if (name.empty() || name == "." || name == ".." ||
      name.find_first_of(std::string_view("/\0", 2)) != std::string_view::npos) {
    return Code::kInvalid;
  }
  return {};
}

}  // namespace nacre::meta
