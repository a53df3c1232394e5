// From an owner row to the extent row it stands for, live or past.
#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "kv/store.h"
#include "wire/rows.h"

namespace nacre::keeper {

struct OwnedExtent {
  std::string live_key;
  std::optional<Sequence> past_end;  // none: the row is live
  wire::ExtentRow row;
};

// The row that commit `begin` wrote for this place of the file: the live row if it still stands,
// else the past row that it became. None if there is none any more, and for a row that does not
// decode: that is for check to report.
Result<std::optional<OwnedExtent>> find_extent(kv::Store& rows, const kv::Snapshot* at, InodeId ino,
                                               uint64_t offset, Sequence begin);

// Whether the extent is what the owner row says.
inline bool is_owned(const wire::ExtentRow& extent, BlockId block, const wire::OwnerRow& owner) {
  return extent.kind == wire::ExtentKind::kBlock && extent.block == block &&
         extent.block_offset == owner.block_offset && extent.length == owner.length;
}

// Whether some row, live or past, at that place of the file does not decode, or does not follow on
// the one before it. What the others say is then the best there is: owner rows of the place are
// believed.
Result<bool> is_damaged_place(kv::Store& rows, const kv::Snapshot* at, InodeId ino,
                              uint64_t offset);

}  // namespace nacre::keeper
