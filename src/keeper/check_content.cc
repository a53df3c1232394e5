// Checks of what inodes hold now: extents and attributes.
#include <fmt/format.h>

#include "fs/acl.h"
#include "keeper/check_run.h"

namespace nacre::keeper {

namespace {

kv::Range all_of(wire::RowKind kind) {
  return kv::prefix_range(std::string(1, static_cast<char>(kind)));
}

// The extents of one file after the other.
class ExtentCheck {
 public:
  explicit ExtentCheck(CheckRun& run) : run_(run) {}

  void operator()(std::string_view key, std::string_view value) {
    ++run_.summary.extents;
    const auto live = wire::decode_live_key(key);
    if (!live.ok()) {
      return run_.error(FindingKind::kUndecodable, describe_key(key), "this key does not decode");
    }
    enter(live->ino);
    const auto row = wire::decode_extent(value);
    if (!row.ok()) {
      if (inode_ != nullptr) inode_->content_damaged = true;
      return run_.error(FindingKind::kUndecodable, where(live->position),
                        "the row of this part does not decode");
    }
    run_.check_begin(key, row->begin);
    check_place(live->position, *row);
    tally_extent(run_, live->ino, live->position, *row);
    if (row->kind == wire::ExtentKind::kBlock) run_.live_bytes += row->length;
    if (inode_ != nullptr) inode_->allocated -= static_cast<int64_t>(row->length);
  }

 private:
  std::string where(uint64_t offset) {
    return fmt::format("{} at byte {}", run_.describe(ino_), offset);
  }

  void enter(InodeId ino) {
    if (ino == ino_) return;
    ino_ = ino;
    end_ = 0;
    run_.saw_inode(ino);
    inode_ = run_.inodes.find(ino);
    if (inode_ == nullptr && !run_.orphans.contains(ino)) {
      run_.warning(FindingKind::kExtentOwner, fmt::format("inode {}", ino.value),
                   "there is content of it, but no such inode", true);
      run_.mending.volume_rows[wire::orphan_key(ino)] = "";  // removed at the next open
    }
    if (inode_ != nullptr && !inode_->damaged &&
        inode_->type != static_cast<uint8_t>(meta::FileType::kRegular)) {
      run_.error(FindingKind::kExtentPlace, run_.describe(ino), "it is no file, and has content");
    }
  }

  void check_place(uint64_t offset, const wire::ExtentRow& row) {
    const uint64_t block_size = run_.volume.settings().block_size;
    const uint64_t end = offset + row.length;
    if (offset > uint64_t{INT64_MAX} || end > uint64_t{INT64_MAX} ||
        offset / block_size != (end - 1) / block_size) {
      run_.error(FindingKind::kExtentPlace, where(offset),
                 fmt::format("an extent of {} bytes crosses a block-size window", row.length));
    }
    if (offset < end_) {
      run_.error(FindingKind::kExtentPlace, where(offset), "two extents overlap here");
    }
    end_ = std::max(end_, end);
  }

  CheckRun& run_;
  InodeId ino_;
  InodeFacts* inode_ = nullptr;
  uint64_t end_ = 0;
};

void check_attribute(CheckRun& run, std::string_view key, std::string_view value) {
  const auto live = wire::decode_live_key(key);
  if (!live.ok()) {
    return run.error(FindingKind::kUndecodable, describe_key(key), "this key does not decode");
  }
  run.saw_inode(live->ino);
  InodeFacts* inode = run.inodes.find(live->ino);
  const std::string name(live->name);
  if (inode == nullptr) {
    run.warning(FindingKind::kExtentOwner, fmt::format("inode {}", live->ino.value),
                "it has attribute '" + name + "', but there is no such inode", true);
    run.mending.dropped_rows.emplace_back(key);
    return;
  }
  inode->seen_flags |= wire::kInodeHasXattrs;
  const auto row = wire::decode_xattr(value);
  if (!row.ok()) {
    return run.error(FindingKind::kUndecodable, run.describe(live->ino),
                     "attribute '" + name + "' does not decode");
  }
  run.check_begin(key, row->begin);
  const bool access = name == fs::kAccessAclName;
  if (!access && name != fs::kDefaultAclName) return;
  inode->seen_flags |= access ? wire::kInodeHasAcl : wire::kInodeHasDefaultAcl;
  if (!fs::Acl::decode(row->value).ok()) {
    run.error(FindingKind::kAcl, run.describe(live->ino), "its '" + name + "' does not decode");
  }
}

// The flags say which attribute rows there are; that of any attribute may say so of none.
void check_flags(CheckRun& run, const InodeFacts& inode) {
  constexpr uint8_t kExact = wire::kInodeHasAcl | wire::kInodeHasDefaultAcl;
  const auto missing = static_cast<uint8_t>(inode.seen_flags & ~inode.flags);
  const auto idle = static_cast<uint8_t>(inode.flags & ~inode.seen_flags & kExact);
  if (inode.damaged || (missing | idle) == 0) return;
  run.error(
      FindingKind::kAttributeFlag, run.describe(inode.ino),
      fmt::format("its attributes ask for flags {}, and it has {}", inode.seen_flags, inode.flags),
      true);
  run.mending.inodes[inode.ino].set_flags = missing;
  run.mending.inodes[inode.ino].clear_flags = idle;
}

}  // namespace

Status check_extents(CheckRun& run) {
  ExtentCheck check(run);
  TRY(run.each("extents", kv::Family::kLive, all_of(wire::RowKind::kExtent),
               [&](std::string_view key, std::string_view value) {
                 check(key, value);
                 return Status();
               }));
  for (const InodeFacts& inode : run.inodes.all()) {
    if (inode.allocated == 0 || inode.damaged || inode.content_damaged) continue;
    run.warning(FindingKind::kAllocated, run.describe(inode.ino),
                fmt::format("its extents hold {} bytes {} than it says",
                            inode.allocated < 0 ? -inode.allocated : inode.allocated,
                            inode.allocated < 0 ? "more" : "less"),
                true);
    run.mending.allocated.push_back(inode.ino);
  }
  return {};
}

Status check_attributes(CheckRun& run) {
  TRY(run.each("attributes", kv::Family::kLive, all_of(wire::RowKind::kXattr),
               [&](std::string_view key, std::string_view value) {
                 check_attribute(run, key, value);
                 return Status();
               }));
  for (const InodeFacts& inode : run.inodes.all()) check_flags(run, inode);
  return {};
}

}  // namespace nacre::keeper
