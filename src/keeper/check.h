// Checking a volume: whether every row means what it should, agrees with the others, and stands on
// stored bytes; and mending what the rest of the rows prove.
//
// What is checked, and in which order, is the list of stages in check.cc. Repairs rest on
// redundancy only: counts are counted again, books are written anew from what they account for,
// names that point nowhere go, inodes without a name come back in /lost+found as #INODE. Content is
// never guessed.
//
// Memory: about 80 bytes for each inode, 200 for each block, 9 for each past row.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "fs/volume.h"

namespace nacre::keeper {

enum class Severity {
  kWarning,  // books are wrong or space is lost; everything still reads as it should
  kError,    // something reads wrong or not at all, or will once the books are believed
};

enum class FindingKind {
  kUndecodable,       // a row that does not decode
  kState,             // the state row, a snapshot or a mark out of range
  kFutureRow,         // written by a commit that never was
  kHistoryOrder,      // past rows of one key overlap, or end before they begin
  kHistoryUnguarded,  // a past row that no change row names: never pruned
  kHistoryLeft,       // a past row below the floor that nothing pins
  kFeed,              // a gap or disorder in the change feed
  kNameTarget,        // a name of an inode that does not exist
  kNamePlace,         // a name where no search finds it
  kNameType,          // a name that gives the wrong type
  kLinkCount,
  kParentPointer,
  kUnreachable,  // an inode without a path from the root
  kDirectoryLoop,
  kDirectorySize,
  kInode,        // an inode row at odds with itself
  kOrphan,       // a row of an unlinked inode that is missing, or names one still linked
  kExtentPlace,  // overlaps another, crosses a window, or ends past its block
  kExtentOwner,  // content or attributes of an inode that does not exist
  kAllocated,
  kAttributeFlag,
  kAcl,
  kOwnerRow,  // an extent without its owner row, or the reverse
  kBlockCounts,
  kBlockMissing,  // rows refer to a block that is not stored, or to more bytes than are
  kBlockDamaged,  // stored bytes that cannot be read (deep)
  kBlockUnowned,  // stored, but no row refers to it
  kRowStore,      // the row store's own checksums: nothing is mended then
  kCounter,       // inode counter, inode count, live bytes
  kFingerprint,   // the books of content that is stored once
  kPack,          // what a pack in the bucket holds, and what its row says
};
std::string_view name_of(FindingKind kind);

struct Finding {
  Severity severity = Severity::kError;
  FindingKind kind = FindingKind::kUndecodable;
  std::string what;   // a sentence without its end
  std::string where;  // which inode (with its path), directory, block or row
  bool repairable = false;
  bool repaired = false;  // if check() returns without an error
};
using CheckReport = std::function<void(const Finding&)>;

struct CheckStage {
  std::string_view name;
  uint64_t done = 0;   // rows, or bytes when deep
  uint64_t total = 0;  // 0: unknown
};
// Return false to stop.
using CheckProgress = std::function<bool(const CheckStage&)>;

struct CheckOptions {
  bool deep = false;    // reads every referenced block, once
  bool repair = false;  // the volume must be writable
  // Runs its argument while no other duty works on the volume; none: nobody else does.
  std::function<Status(const std::function<Status()>&)> exclusively;
};

struct CheckSummary {
  uint64_t inodes = 0;
  uint64_t names = 0;
  uint64_t extents = 0;
  uint64_t past_rows = 0;
  uint64_t changes = 0;
  uint64_t blocks = 0;
  uint64_t bytes_read = 0;  // of blocks
  uint64_t warnings = 0;
  uint64_t errors = 0;
  uint64_t repaired = 0;

  bool clean() const { return warnings == 0 && errors == 0; }
};

// Commits, then checks the volume as of that commit; it may be in use meanwhile. Findings are
// reported as they come, from this thread. Repairs come last, as one commit and upkeep; what
// changed since is left alone. kBusy: `progress` said stop. Other errors: the check itself could
// not go on. Call without locks.
Result<CheckSummary> check(fs::Volume& volume, const CheckOptions& options,
                           const CheckProgress& progress, const CheckReport& report);

}  // namespace nacre::keeper
