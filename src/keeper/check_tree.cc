// Checks of the tree that inodes and names make: whether everything hangs from the root, and
// whether the inodes' own counts agree.
#include <fmt/format.h>

#include <unordered_set>

#include "keeper/check_run.h"

namespace nacre::keeper {

namespace {

class TreeCheck {
 public:
  explicit TreeCheck(CheckRun& run) : run_(run) {}

  void operator()() {
    const InodeFacts* root = run_.inodes.find(kRootInode);
    if (root == nullptr || root->damaged || !root->is_directory()) {
      return run_.error(FindingKind::kUnreachable, "inode 1", "the root directory is missing");
    }
    for (InodeFacts& inode : run_.inodes.all()) {
      if (inode.ino != kRootInode) check_name(inode);
    }
    for (InodeFacts& inode : run_.inodes.all()) {
      if (inode.is_directory() && inode.ino != kRootInode) check_loop(inode);
    }
    for (InodeFacts& inode : run_.inodes.all()) {
      if (!inode.damaged) check_counts(inode);
    }
  }

 private:
  // An inode without a name is on its way out, and an orphan row says so; or it was lost.
  void check_name(const InodeFacts& inode) {
    const bool orphan = run_.orphans.contains(inode.ino);
    const bool needed = inode.names > 0 || inode.entries > 0;
    if (needed && orphan) {
      run_.error(FindingKind::kOrphan, run_.describe(inode.ino),
                 "it is part of the tree, and down to be removed", true);
      run_.mending.volume_rows[wire::orphan_key(inode.ino)] = std::nullopt;
    }
    if (inode.names > 0 || inode.damaged) return;
    if (needed) return adopt(inode, "it has entries, but no directory names it");
    if (inode.nlink != 0) return adopt(inode, "it has links, but no directory names it");
    if (orphan) return;
    run_.warning(FindingKind::kOrphan, run_.describe(inode.ino),
                 "it has no name, and nothing removes it", true);
    run_.mending.volume_rows[wire::orphan_key(inode.ino)] = "";
  }

  void adopt(const InodeFacts& inode, std::string what) {
    run_.error(FindingKind::kUnreachable, run_.describe(inode.ino), std::move(what), true);
    run_.mending.adopted.push_back(inode.ino);
    adopted_.insert(inode.ino.value);
  }

  // Follows the names upwards until a place known to end well, or a directory met on the way.
  void check_loop(const InodeFacts& inode) {
    std::vector<InodeId> way;
    std::unordered_set<uint64_t> met;
    for (const InodeFacts* at = &inode;
         at->ino != kRootInode && !ends_well_.contains(at->ino.value);
         at = run_.inodes.find(at->named_in)) {
      if (at->names == 0) break;
      if (!met.insert(at->ino.value).second) {
        cut(*run_.inodes.find(at->ino));
        break;
      }
      way.push_back(at->ino);
    }
    for (const InodeId ino : way) ends_well_.insert(ino.value);
  }

  // Takes the directory out of the loop and brings it back to the root.
  void cut(InodeFacts& inode) {
    run_.error(FindingKind::kDirectoryLoop, fmt::format("inode {}", inode.ino.value),
               "the directory is below itself", true);
    const auto stored = run_.rows.get(
        kv::Family::kLive, wire::dentry_key(inode.named_in, inode.cookie), run_.at.get());
    if (stored.ok() && *stored) run_.mending.drop_name(inode.named_in, inode.cookie, **stored);
    InodeFacts& parent = *run_.inodes.find(inode.named_in);
    --parent.entries;
    --parent.subdirectories;
    inode.names = 0;
    run_.mending.adopted.push_back(inode.ino);
    adopted_.insert(inode.ino.value);
  }

  void check_counts(const InodeFacts& inode) {
    const bool adopted = adopted_.contains(inode.ino.value);
    const bool in_tree = inode.names > 0 || adopted || inode.ino == kRootInode;
    if (!inode.is_directory()) {
      if (in_tree && !adopted) check_links(inode, inode.names);
      return;
    }
    if (in_tree) check_links(inode, 2 + inode.subdirectories);
    const InodeId parent = inode.ino == kRootInode ? kRootInode : inode.named_in;
    if (in_tree && !adopted && inode.parent != parent) {
      run_.error(
          FindingKind::kParentPointer, run_.describe(inode.ino),
          fmt::format("its parent is inode {}, and it says {}", parent.value, inode.parent.value),
          true);
      run_.mending.inodes[inode.ino].parent = parent;
    }
    if (inode.size != inode.entries) {
      run_.error(FindingKind::kDirectorySize, run_.describe(inode.ino),
                 fmt::format("it has {} entries and says {}", inode.entries, inode.size), true);
      run_.mending.inodes[inode.ino].size =
          static_cast<int64_t>(inode.entries) - static_cast<int64_t>(inode.size);
    }
  }

  void check_links(const InodeFacts& inode, uint32_t links) {
    if (inode.nlink == links) return;
    run_.error(FindingKind::kLinkCount, run_.describe(inode.ino),
               fmt::format("it has {} links and says {}", links, inode.nlink), true);
    run_.mending.inodes[inode.ino].nlink = int64_t{links} - int64_t{inode.nlink};
  }

  CheckRun& run_;
  std::unordered_set<uint64_t> ends_well_;  // directories whose names lead to the root, or will
  std::unordered_set<uint64_t> adopted_;
};

}  // namespace

Status check_tree(CheckRun& run) {
  TreeCheck check(run);
  check();
  return {};
}

}  // namespace nacre::keeper
