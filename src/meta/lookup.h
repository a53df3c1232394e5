// Reading the namespace from any row source, present or past. Free functions without state.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "meta/row_source.h"
#include "meta/types.h"
#include "wire/rows.h"

namespace nacre::meta {

// The secret that scatters names over cookies, one per volume, so that nobody can make names
// collide.
using NameKey = std::array<uint8_t, 16>;

// The first of the kCookieSlots cookies that a name may have: a 60-bit SipHash-2-4 above 3 slot
// bits.
uint64_t cookie_of(const NameKey& key, std::string_view name);

// A row as decoded and as stored, so that it can be replaced without reading it again.
struct Inode {
  InodeId ino;
  wire::InodeRow row;
  std::string stored;

  FileType type() const { return static_cast<FileType>(row.type); }
  bool is_directory() const { return type() == FileType::kDirectory; }
};
struct Dentry {
  uint64_t cookie = 0;
  wire::DentryRow row;
  std::string stored;
};

// kNotFound when there is no such inode.
Result<Inode> load_inode(const RowSource& rows, InodeId ino);
// As load_inode(), but kNotDirectory for anything else.
Result<Inode> load_directory(const RowSource& rows, InodeId ino);
// kNameTooLong for a name that no directory can hold.
Result<std::optional<Dentry>> find_dentry(const RowSource& rows, const NameKey& key, InodeId parent,
                                          std::string_view name);
// Calls `visit` for each entry with a cookie above `after`, in cookie order, until it returns
// false.
Status visit_directory(const RowSource& rows, InodeId parent, uint64_t after,
                       const std::function<bool(const Dentry&)>& visit);
// None if the inode has no such attribute.
Result<std::optional<std::string>> load_xattr(const RowSource& rows, InodeId ino,
                                              std::string_view name);
Result<std::vector<std::string>> list_xattrs(const RowSource& rows, InodeId ino);

Attr attr_of(const Inode& inode);

// kInvalid for an empty name, ".", ".." or one with a slash or NUL; kNameTooLong.
Status check_name(std::string_view name);

}  // namespace nacre::meta
