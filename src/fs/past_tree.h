// The past of a volume as read-only trees, one per sequence. Inodes seen here have numbers of their
// own, so that no cache and no program that compares inode numbers takes the past for the present:
// the view bit, 20 bits for the view (mapped in memory to its sequence while anything of it is
// referred to), and the lower 43 bits of the inode's own number.
//
// Every method may be called from any thread. Changes are refused with kReadOnly.
#pragma once

#include <unordered_map>
#include <vector>

#include "fs/tree.h"
#include "fs/volume.h"
#include "meta/past_rows.h"

namespace nacre::fs {

class PastTree final : public Tree {
 public:
  // With `root_at`, inode 1 is the root as of that sequence: for a mount of one moment.
  explicit PastTree(Volume& volume, std::optional<Sequence> root_at = std::nullopt)
      : volume_(volume), root_at_(root_at) {}

  // The root directory as of `at`, one reference counted.
  Result<Entry> root(Sequence at);
  // Which file of which moment a number stands for. kNotFound for a view that is gone.
  struct Node {
    Sequence at;
    InodeId ino;
  };
  Result<Node> node_of(InodeId seen) const;

  Result<Entry> lookup(InodeId parent, std::string_view name) override;
  void forget(InodeId ino, uint64_t references) override;
  Result<meta::Attr> get_attr(InodeId ino) override;
  Result<std::string> read_link(InodeId ino) override;
  Status read_directory(InodeId ino, uint64_t cookie, bool with_attr,
                        const std::function<bool(const DirectoryEntry&)>& sink) override;
  Result<size_t> read(InodeId ino, uint64_t offset, MutableBytes into) override;
  Status sync(InodeId ino, SyncScope scope) override;
  Result<uint64_t> seek(InodeId ino, uint64_t offset, SeekKind kind) override;
  Result<std::string> get_xattr(InodeId ino, std::string_view name) override;
  Result<std::vector<std::string>> list_xattrs(InodeId ino) override;
  Result<TreeSpace> space() override;

  Result<meta::Attr> set_attr(const Caller&, InodeId, const meta::SetAttr&) override {
    return Code::kReadOnly;
  }
  Result<Entry> make_node(const Caller&, InodeId, std::string_view, const NewNode&) override {
    return Code::kReadOnly;
  }
  Result<Entry> link(InodeId, InodeId, std::string_view) override { return Code::kReadOnly; }
  Status unlink(InodeId, std::string_view) override { return Code::kReadOnly; }
  Status remove_directory(InodeId, std::string_view) override { return Code::kReadOnly; }
  Status rename(InodeId, std::string_view, InodeId, std::string_view, RenameMode) override {
    return Code::kReadOnly;
  }
  Status write(InodeId, uint64_t, ByteView, const WriteOptions&) override {
    return Code::kReadOnly;
  }
  Status allocate(InodeId, uint64_t, uint64_t, AllocateMode) override { return Code::kReadOnly; }
  Result<uint64_t> copy_range(InodeId, uint64_t, InodeId, uint64_t, uint64_t) override {
    return Code::kReadOnly;
  }
  Status set_xattr(InodeId, std::string_view, std::string_view, XattrMode, bool) override {
    return Code::kReadOnly;
  }
  Status remove_xattr(InodeId, std::string_view) override { return Code::kReadOnly; }

 private:
  struct View {
    Sequence at;
    uint64_t references = 0;
  };
  // Counts a reference to the view, made if need be. kNoSpace when too many are open, kUnsupported
  // for an inode whose number does not fit.
  Result<InodeId> refer(const Node& node);
  // The number of another inode of the same view.
  InodeId sibling(InodeId seen, InodeId ino) const;
  Result<Entry> entry_of(Sequence at, const meta::Inode& inode);

  Volume& volume_;
  const std::optional<Sequence> root_at_;
  mutable os::Mutex mutex_;  // a leaf
  // Index 0 is nobody's, for MountedTree's own directories.
  std::vector<View> views_ GUARDED_BY(mutex_) = std::vector<View>(1);
  std::vector<size_t> unused_ GUARDED_BY(mutex_);
  std::unordered_map<Sequence, size_t> index_ GUARDED_BY(mutex_);
};

}  // namespace nacre::fs
