// What the kernel is told: the tree's values in the layouts of the protocol. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/bytes.h"
#include "fs/tree.h"
#include "meta/types.h"
#include "mount/abi.h"

namespace nacre::mount {

// What the kernel may keep of what it is told, until it is told otherwise: nothing; of an entry
// only the name, of an inode nothing; or all. Entries of a directory that is packed under kName are
// kept as under kAlways unless they are regular files: only those are written.
enum class Keep { kNothing, kName, kAlways };

// S_IFMT bits and permissions, as in st_mode.
uint32_t wire_mode(const meta::Attr& attr);
fuse_attr wire_attr(const meta::Attr& attr);
fuse_attr_out attr_out(const meta::Attr& attr, Keep keep);
fuse_entry_out entry_out(const meta::Attr& attr, Keep keep);
// That there is no such name.
fuse_entry_out missing_entry_out();
abi::StatxOut statx_out(const meta::Attr& attr, Keep keep);
fuse_statfs_out statfs_out(const fs::TreeSpace& space);

// Packs directory entries into the answer to READDIR or, `with_attr`, READDIRPLUS.
class DirectoryPacker {
 public:
  DirectoryPacker(MutableBytes into, bool with_attr, Keep keep)
      : into_(into), with_attr_(with_attr), keep_(keep) {}

  // False, and nothing packed, when it does not fit. Under `with_attr` an entry without attributes
  // ("." and ".." among them) is packed as a name only: the kernel looks it up when it is used, and
  // no reference is counted.
  bool add(const fs::DirectoryEntry& entry);
  ByteView packed() const { return ByteView(into_).first(used_); }

 private:
  MutableBytes into_;
  bool with_attr_;
  Keep keep_;
  size_t used_ = 0;
};

}  // namespace nacre::mount
