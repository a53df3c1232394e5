// What a check has learned: compact, one entry for each inode and each block.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "meta/types.h"

namespace nacre::keeper {

struct InodeFacts {
  InodeId ino;
  // As its row says.
  uint64_t size = 0;
  InodeId parent;
  uint32_t nlink = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
  bool damaged = false;          // the row does not decode: nothing above is known
  bool content_damaged = false;  // one of its extents does not decode
  // As the other rows say.
  uint8_t seen_flags = 0;
  InodeId named_in;     // the directory of its last name found
  uint64_t cookie = 0;  // and the place there
  uint32_t names = 0;
  uint32_t entries = 0;  // of a directory
  uint32_t subdirectories = 0;
  int64_t allocated = 0;  // the row's count, less the extents found

  bool is_directory() const { return type == static_cast<uint8_t>(meta::FileType::kDirectory); }
};

// Sorted by inode.
class InodeTable {
 public:
  void add(const InodeFacts& facts) { facts_.push_back(facts); }
  InodeFacts* find(InodeId ino) {
    const auto at = std::lower_bound(
        facts_.begin(), facts_.end(), ino,
        [](const InodeFacts& facts, InodeId wanted) { return facts.ino < wanted; });
    return at != facts_.end() && at->ino == ino ? &*at : nullptr;
  }
  std::vector<InodeFacts>& all() { return facts_; }

 private:
  std::vector<InodeFacts> facts_;
};

// References to a block: how many, how long, and a sum that tells different sets apart.
struct BlockTally {
  uint64_t references = 0;
  uint64_t bytes = 0;
  uint64_t mix = 0;

  friend bool operator==(const BlockTally&, const BlockTally&) = default;
};

struct BlockFacts {
  BlockTally extents;  // live and past
  BlockTally owners;
  bool has_row = false;
  uint64_t row_references = 0;
  uint64_t row_bytes = 0;
  uint64_t stored_bytes = 0;  // as the block row says
  uint64_t end = 0;           // of the highest range owned
  bool doomed = false;
};
using BlockTable = std::map<BlockId, BlockFacts>;

// Of a pack in the bucket.
struct PackFacts {
  bool has_row = false;
  uint64_t row_blocks = 0;
  uint64_t row_bytes = 0;
  uint64_t located_blocks = 0;  // that say they lie in it
  uint64_t located_bytes = 0;
  uint64_t members = 0;  // in its own list
};

}  // namespace nacre::keeper
