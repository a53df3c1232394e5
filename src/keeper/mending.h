// What a check wants to mend, collected while it looks and done at the end. Everything is looked at
// again before it is changed: a live volume may have moved on.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "fs/volume.h"

namespace nacre::keeper {

struct InodeMend {
  int64_t nlink = 0;  // to be added
  int64_t size = 0;   // to be added
  uint8_t set_flags = 0;
  uint8_t clear_flags = 0;
  std::optional<InodeId> parent;
};

struct NewName {
  std::string name;
  InodeId ino;
  uint8_t type = 0;
};

// The names of one hash in one directory.
struct NameRun {
  InodeId parent;
  uint64_t first = 0;  // cookie
  friend auto operator<=>(const NameRun&, const NameRun&) = default;
};
struct NameRunMend {
  std::map<uint64_t, std::string> dropped;  // cookie → the stored value meant
  std::vector<NewName> added;
};

struct UnownedExtent {
  InodeId ino;
  uint64_t offset = 0;
  Sequence begin;
};

struct Mending {
  // Of the present: a commit of its own.
  std::map<InodeId, InodeMend> inodes;
  std::map<NameRun, NameRunMend> names;   // rewritten without gaps
  std::vector<InodeId> adopted;           // get a name in /lost+found
  std::vector<std::string> dropped_rows;  // live keys
  // Live keys and values that do not decode: they leave no history, which would be as damaged.
  std::map<std::string, std::string> erased_rows;
  std::map<std::string, std::optional<std::string>> volume_rows;

  // Of the books: upkeep.
  std::vector<InodeId> allocated;                        // counted again
  std::map<BlockId, std::vector<UnownedExtent>> blocks;  // counted again; extents to be owned
  std::map<std::string, std::string> changes;            // rows of the change feed
  std::map<std::string, std::string> fingerprints;       // rows and values that go
  std::vector<BlockId> doomed;                           // their doomed rows go
  std::vector<BlockId> unowned;                          // removed from the block store
  int64_t inode_count = 0;                               // to be added
  int64_t live_bytes = 0;                                // to be added
  int64_t referenced_bytes = 0;                          // to be added
  uint64_t next_inode = 0;                               // at least
  std::optional<Sequence> pruned;                        // at most

  void drop_name(InodeId parent, uint64_t cookie, std::string value);
};

Status mend(fs::Volume& volume, const Mending& mending);

// Its parts, in this order.
Status erase_damaged(fs::Volume& volume, const Mending& mending);
Status mend_present(fs::Volume& volume, const Mending& mending);
Status mend_books(fs::Volume& volume, const Mending& mending);

}  // namespace nacre::keeper
