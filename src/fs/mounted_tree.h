// What a mount of the live volume serves: the present, and under the hidden read-only directory
// `.nacre` of the root the past: `.nacre/at/<WHEN>/…` for any moment (a time, a sequence number, a
// snapshot's name) and
// `.nacre/snapshots/<NAME>/…`. `.nacre` is not listed and its name is reserved.
//
// Every method may be called from any thread.
#pragma once

#include "fs/live_tree.h"
#include "fs/past_tree.h"

namespace nacre::fs {

inline constexpr std::string_view kHiddenName = ".nacre";

class MountedTree final : public Tree {
 public:
  explicit MountedTree(Volume& volume, const LiveTreeOptions& options = {})
      : volume_(volume), live_(volume, options), past_(volume) {}

  Result<Entry> lookup(InodeId parent, std::string_view name) override;
  void forget(InodeId ino, uint64_t references) override;
  Result<meta::Attr> get_attr(InodeId ino) override;
  Result<meta::Attr> set_attr(const Caller& caller, InodeId ino,
                              const meta::SetAttr& change) override;
  Result<std::string> read_link(InodeId ino) override;
  Result<Entry> make_node(const Caller& caller, InodeId parent, std::string_view name,
                          const NewNode& node) override;
  Result<Entry> link(InodeId ino, InodeId new_parent, std::string_view new_name) override;
  Status unlink(InodeId parent, std::string_view name) override;
  Status remove_directory(InodeId parent, std::string_view name) override;
  Status rename(InodeId parent, std::string_view name, InodeId new_parent,
                std::string_view new_name, RenameMode mode) override;
  Status read_directory(InodeId ino, uint64_t cookie, bool with_attr,
                        const std::function<bool(const DirectoryEntry&)>& sink) override;
  Result<size_t> read(InodeId ino, uint64_t offset, MutableBytes into) override;
  Status write(InodeId ino, uint64_t offset, ByteView data, const WriteOptions& options) override;
  void leave_times_to_kernel() override { live_.leave_times_to_kernel(); }
  std::vector<InodeId> referenced() override { return live_.referenced(); }
  bool is_scarce() const override { return live_.is_scarce(); }
  Status admit_write(InodeId ino, uint64_t bytes) override;
  std::vector<InodeId> age_promises() override { return live_.age_promises(); }
  void drop_aged_promises() override { live_.drop_aged_promises(); }
  Status sync(InodeId ino, SyncScope scope) override;
  Status allocate(InodeId ino, uint64_t offset, uint64_t length, AllocateMode mode) override;
  Result<uint64_t> seek(InodeId ino, uint64_t offset, SeekKind kind) override;
  Result<uint64_t> copy_range(InodeId from, uint64_t from_offset, InodeId to, uint64_t to_offset,
                              uint64_t length) override;
  Result<std::string> get_xattr(InodeId ino, std::string_view name) override;
  Status set_xattr(InodeId ino, std::string_view name, std::string_view value, XattrMode mode,
                   bool kill_sgid) override;
  Result<std::vector<std::string>> list_xattrs(InodeId ino) override;
  Status remove_xattr(InodeId ino, std::string_view name) override;
  Result<TreeSpace> space() override { return live_.space(); }

 private:
  // The tree that knows the inode; none for the directories of `.nacre` itself.
  Tree* tree_of(InodeId ino);
  // Refuses what would take or give away the reserved name.
  Status check_change(InodeId parent, std::string_view name);
  Result<Entry> lookup_hidden(InodeId parent, std::string_view name);
  Result<meta::Attr> hidden_attr(InodeId ino);
  Status read_hidden(InodeId ino, uint64_t cookie,
                     const std::function<bool(const DirectoryEntry&)>& sink);

  Volume& volume_;
  LiveTree live_;
  PastTree past_;
};

}  // namespace nacre::fs
