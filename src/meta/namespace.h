// The present namespace and the operations that change it, one file each family: make.cc,
// remove.cc, rename.cc, attributes.cc, xattr.cc. Each operation checks everything before it changes
// anything, so a failed one leaves no trace; its changes land in the row table's active group
// together.
//
// Not locked: the owner holds its lock shared for reads and exclusive for everything else. Content
// is the owner's affair: the namespace keeps sizes and link counts and says when an inode has lost
// its last link.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "meta/lookup.h"
#include "meta/row_table.h"
#include "os/clock.h"
#include "os/random.h"

namespace nacre::meta {

struct NewInode {
  FileType type = FileType::kRegular;
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t rdev = 0;
  std::string_view target;
};

// What an unlink or a rename did to the inode it took a name from.
struct Unlinked {
  InodeId ino;
  FileType type = FileType::kRegular;
  bool last = false;  // no name is left: drop() it once nobody refers to it
};

struct Renamed {
  InodeId moved;
  std::optional<Unlinked> replaced;
  std::optional<InodeId> exchanged;
};

enum class RenameKind { kReplace, kNoReplace, kExchange };

class Namespace {
 public:
  // `state` is the store's; the namespace keeps its inode counters.
  Namespace(RowTable& rows, const NameKey& name_key, wire::StateRow& state, os::Clock& clock,
            os::Random& random)
      : rows_(rows), name_key_(name_key), state_(state), clock_(clock), random_(random) {}

  const RowSource& rows() const { return rows_; }
  const NameKey& name_key() const { return name_key_; }
  // For check's repairs: rows without the rules.
  RowTable& table() { return rows_; }

  // The root directory of a new volume.
  void make_root(uint32_t uid, uint32_t gid, uint32_t mode);

  Result<Inode> lookup(InodeId parent, std::string_view name) const;

  // kExists if the name is taken; kNotFound if the directory was removed.
  Result<Inode> make(InodeId parent, std::string_view name, const NewInode& node);
  Result<Inode> link(InodeId ino, InodeId parent, std::string_view name);
  Result<Unlinked> unlink(InodeId parent, std::string_view name);
  Result<Unlinked> remove_directory(InodeId parent, std::string_view name);
  Result<Renamed> rename(InodeId parent, std::string_view name, InodeId new_parent,
                         std::string_view new_name, RenameKind kind);
  // Removes an inode without names: its row and attributes. Its extents are removed by the commit.
  Status drop(InodeId ino);

  // Applies mode, owner, size and times as they are; ctime becomes now unless given.
  Result<Inode> set_attributes(InodeId ino, const SetAttr& change);
  // The content changed: remembers the commit, with new size and times where given.
  Result<Inode> touch_content(InodeId ino, std::optional<uint64_t> size, bool set_times,
                              bool kill_suid_sgid);
  // Access time alone: leaves no history.
  Status touch_atime(InodeId ino, Timestamp atime);

  // kExists or kNoData as `create` and `replace` ask; the value's bound is checked here.
  Status set_xattr(InodeId ino, std::string_view name, std::string_view value, bool create,
                   bool replace);
  Status remove_xattr(InodeId ino, std::string_view name);
  // Replaces mode and the kInodeHas... flags in one change; ctime becomes now.
  Status set_mode_and_flags(InodeId ino, uint32_t mode, uint8_t set_flags, uint8_t clear_flags);

 private:
  void store(const Inode& inode);
  void insert(InodeId parent, uint64_t cookie, std::string_view name, InodeId ino, FileType type);
  Status erase(InodeId parent, const Dentry& dentry);
  Result<uint64_t> free_cookie(InodeId parent, std::string_view name) const;
  Result<Inode> load_open_directory(InodeId ino) const;
  void touch_directory(Inode& directory, int64_t entries, int64_t subdirectories);
  Status check_no_loop(InodeId moved, InodeId new_parent) const;
  Unlinked drop_link(Inode& inode);

  RowTable& rows_;
  NameKey name_key_;
  wire::StateRow& state_;
  os::Clock& clock_;
  os::Random& random_;
};

}  // namespace nacre::meta
