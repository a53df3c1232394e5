// The language of the model tests: one operation on a tree a line, as `write /a/b offset=3
// length=10 fill=7`. A failing run is printed in it, and can be played again from it.
//
// Paths. "/a/b" starts at the root, "@3/b" at the inode held in slot 3 ("@3" is that inode itself,
// which may have lost its name), "~2/a" at the root as of the second moment remembered. Symlinks
// are never followed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::model {

enum class Kind {
  // Names.
  kCreate,
  kMkdir,
  kSymlink,
  kMknod,
  kLink,
  kUnlink,
  kRmdir,
  kRename,
  kRenameNew,
  kExchange,
  // Content.
  kWrite,
  kWriteCached,   // as the kernel's write-back does: it keeps size and times itself
  kWriteDurable,  // O_SYNC
  kWriteKilling,  // drops setuid and setgid
  kRead,
  kTruncate,
  kAllocate,
  kAllocateKeep,
  kPunch,
  kZero,
  kZeroKeep,
  kSeekData,
  kSeekHole,
  kRestore,  // a file of the past becomes the whole content of a present one
  kCopy,
  // Attributes.
  kStat,
  kReadlink,
  kChmod,
  kChown,
  kUtimes,
  kSetXattr,
  kCreateXattr,
  kReplaceXattr,
  kGetXattr,
  kRemoveXattr,
  kListXattrs,
  // Directories.
  kList,    // all entries, `length` of them a call
  kScan,    // begins to read a directory into a slot of its own
  kScanOn,  // reads `length` entries more; the rest with length 0
  // Handles.
  kHold,
  kRelease,
  // The volume.
  kSync,
  kCommit,
  kSnapshot,
  kStatfs,
  kReopen,
  kAbandon,  // the process dies: what was not committed is gone
  kFault,  // the `value`-th call of a store from here on fails, for want of space or (extra=1) not
  kPowerCut,  // the power goes at the `value`-th operation of the disk from here on; and once more
              // at the `extra`-th when the volume is opened after that
  kTick,      // a round of the keeper's duties, a while later
  kCompact,   // the keeper looks at every block
  kClean,     // the block store cleans itself
  kPrune,     // history before the moment `value` is given up, but for snapshots
  kUnpin,     // a snapshot is deleted
  kCheck,     // compares everything
};

struct Operation {
  Kind kind = Kind::kCheck;
  std::string path;
  std::string to;  // second path, symlink target, attribute name
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t value = 0;  // fill, mode, slot, ... as the kind says
  uint64_t extra = 0;  // target offset of a copy, group of a chown, ...

  friend bool operator==(const Operation&, const Operation&) = default;
};

using Script = std::vector<Operation>;

std::string to_string(const Operation& operation);
std::string to_string(const Script& script);
// kInvalid names the line.
Result<Operation> parse_operation(std::string_view line);
Result<Script> parse_script(std::string_view text);

// The bytes that a write with this fill leaves at [0, length) of itself. Fill 0 is all zero.
std::string bytes_of(uint64_t fill, uint64_t length);

}  // namespace nacre::model
