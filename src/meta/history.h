// What happened to a file: its versions, and the names a directory used to hold. Reads committed
// rows only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "kv/store.h"
#include "meta/lookup.h"

namespace nacre::meta {

// One state of an inode: in force from `begin` until the commit `end` (none: still in force).
struct Version {
  uint64_t number = 0;  // 1 is the oldest still in history
  Sequence begin;
  std::optional<Sequence> end;
  Attr attr;
  bool content_changed = false;  // against the version before; true for the first
  bool deleted = false;          // the inode had no name left at the end
};

// Oldest first. kNotFound when neither the present nor history knows the inode.
Result<std::vector<Version>> versions_of(kv::Store& store, InodeId ino);

// A name that a directory held.
struct PastName {
  std::string name;
  InodeId ino;
  FileType type = FileType::kRegular;
  Sequence begin;
  Sequence end;  // the commit that removed it, or gave it to another inode
};
// Each tenure of a name in `parent` that has ended, those of one name from the first to the last.
Status visit_past_names(kv::Store& store, InodeId parent,
                        const std::function<void(const PastName&)>& visit);
// From the commit `begin` until the commit `end` (none: the present).
struct Span {
  Sequence begin;
  std::optional<Sequence> end;
};
// Names that `parent` lost within the span and does not hold at its end, the latest removal of
// each; in name order.
Result<std::vector<PastName>> deleted_names(kv::Store& store, const NameKey& key, InodeId parent,
                                            const Span& span = {});
// The inode that last had the path (components from the root): now, or at the latest moment that
// history still knows; directories are followed by the names they bore then. `end` is set when the
// path is gone.
struct PastPath {
  InodeId ino;
  FileType type = FileType::kRegular;
  std::optional<Sequence> end;
};
Result<PastPath> find_ever(kv::Store& store, const NameKey& key,
                           const std::vector<std::string>& components);

}  // namespace nacre::meta
