// A file tree as a mount sees it: POSIX semantics without FUSE types. Implemented by the live tree
// of a volume (live_tree.h), by its past (view_tree.h), and by the two joined under one root with
// `.nacre` (mounted_tree.h).
//
// Every method may be called from any thread. Permissions to open and search are the caller's to
// check (the kernel does, under default_permissions); ownership, setgid inheritance, ACL
// inheritance, sizes, times and limits are checked and kept here.
//
// References: every successful lookup, make_*, link and every entry that read_directory() hands to
// an accepting sink with `with_attr` counts one reference to the inode; forget() gives them back.
// An unlinked inode lives as long as it is referenced. There is no open and no close.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "meta/types.h"

namespace nacre::fs {

struct Caller {
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t umask = 0;
  uint32_t pid = 0;
};

// What a directory search found and how long a cache may keep it.
struct Entry {
  meta::Attr attr;
  bool cacheable = true;  // false: entry and attributes must be asked for each time
};

struct DirectoryEntry {
  std::string_view name;  // valid during the call
  InodeId ino;
  meta::FileType type;
  uint64_t cookie;         // resume after this entry; below 2^63, never 0
  const meta::Attr* attr;  // set when asked for, except for "." and ".."
};

struct NewNode {
  meta::FileType type = meta::FileType::kRegular;
  uint32_t mode = 0;  // permission bits before umask and ACLs
  uint64_t rdev = 0;
  std::string_view target;  // of a symlink
};

enum class RenameMode { kReplace, kNoReplace, kExchange };
enum class AllocateMode { kAllocate, kKeepSize, kPunchHole, kZeroRange, kZeroRangeKeepSize };
enum class SeekKind { kData, kHole };
enum class XattrMode { kSet, kCreate, kReplace };
// What must be durable: the content and what is needed to read it, or the times as well.
enum class SyncScope { kData, kAll };

// Who sets the times of a file whose content changes: a kernel that caches writes shows its own,
// and its clock and ours read differently within one tick.
enum class TimesBy { kTree, kKernel };

struct WriteOptions {
  bool from_cache = false;  // the kernel's write-back: it keeps the size itself
  TimesBy times = TimesBy::kTree;
  bool kill_suid_sgid = false;  // as a write by an unprivileged caller does
  bool durable = false;         // O_SYNC: durable on return
};

// In units of block_bytes.
struct TreeSpace {
  uint64_t block_bytes = 4096;
  uint64_t blocks = 0;
  uint64_t free_blocks = 0;
  uint64_t available_blocks = 0;
  uint64_t inodes = 0;
  uint64_t free_inodes = 0;
};

class Tree {
 public:
  virtual ~Tree() = default;

  // kNotFound for a missing name. "." and ".." are not asked for.
  virtual Result<Entry> lookup(InodeId parent, std::string_view name) = 0;
  virtual void forget(InodeId ino, uint64_t references) = 0;
  // Inodes with references whose content can change.
  virtual std::vector<InodeId> referenced() { return {}; }
  virtual Result<meta::Attr> get_attr(InodeId ino) = 0;
  virtual Result<meta::Attr> set_attr(const Caller& caller, InodeId ino,
                                      const meta::SetAttr& change) = 0;
  virtual Result<std::string> read_link(InodeId ino) = 0;

  // Makes any type of node, a directory and a symlink included. kExists if the name is taken.
  virtual Result<Entry> make_node(const Caller& caller, InodeId parent, std::string_view name,
                                  const NewNode& node) = 0;
  virtual Result<Entry> link(InodeId ino, InodeId new_parent, std::string_view new_name) = 0;
  virtual Status unlink(InodeId parent, std::string_view name) = 0;
  virtual Status remove_directory(InodeId parent, std::string_view name) = 0;
  virtual Status rename(InodeId parent, std::string_view name, InodeId new_parent,
                        std::string_view new_name, RenameMode mode) = 0;

  // Calls `sink` for entries after `cookie` (0: from the start, "." and ".." first) until it
  // returns false or the directory ends. Entries that stay are seen once each, whatever comes and
  // goes.
  virtual Status read_directory(InodeId ino, uint64_t cookie, bool with_attr,
                                const std::function<bool(const DirectoryEntry&)>& sink) = 0;

  // From now on the times of regular files are left to the kernel, which sends them with
  // set_attr(). Before any request of that kernel.
  virtual void leave_times_to_kernel() {}
  // Bytes read into `into`; fewer than asked only at the end of the file.
  virtual Result<size_t> read(InodeId ino, uint64_t offset, MutableBytes into) = 0;
  // All of `data`, at `offset`. kNoSpace before anything is buffered.
  virtual Status write(InodeId ino, uint64_t offset, ByteView data,
                       const WriteOptions& options) = 0;
  // Space is scarce: a mount that lets the kernel cache writes asks admit_write() for each, so that
  // a write which will find no room fails and not the file's write-back later. Cheap.
  virtual bool is_scarce() const { return false; }
  // Promises room for `bytes` that the kernel will send later, by writes from its cache; or
  // kNoSpace. Promises count until such writes arrive.
  virtual Status admit_write(InodeId, uint64_t) { return {}; }
  // To find promises that will not be used: age_promises() names the inodes that have any; the
  // caller makes the kernel send what it holds of them; drop_aged_promises() then ends the promises
  // made before. One caller at a time.
  virtual std::vector<InodeId> age_promises() { return {}; }
  virtual void drop_aged_promises() {}
  // Survives a power cut on return. Of a directory: everything done so far in the whole volume
  // does.
  virtual Status sync(InodeId ino, SyncScope scope) = 0;
  virtual Status allocate(InodeId ino, uint64_t offset, uint64_t length, AllocateMode mode) = 0;
  // kNoData past the last data, or past the end.
  virtual Result<uint64_t> seek(InodeId ino, uint64_t offset, SeekKind kind) = 0;
  // Makes the target range share the source's blocks. Returns the bytes shared: fewer at the
  // source's end.
  virtual Result<uint64_t> copy_range(InodeId from, uint64_t from_offset, InodeId to,
                                      uint64_t to_offset, uint64_t length) = 0;

  // kNoData for a missing attribute.
  virtual Result<std::string> get_xattr(InodeId ino, std::string_view name) = 0;
  virtual Status set_xattr(InodeId ino, std::string_view name, std::string_view value,
                           XattrMode mode, bool kill_sgid) = 0;
  virtual Result<std::vector<std::string>> list_xattrs(InodeId ino) = 0;
  virtual Status remove_xattr(InodeId ino, std::string_view name) = 0;

  virtual Result<TreeSpace> space() = 0;
};

}  // namespace nacre::fs
