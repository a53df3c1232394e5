// The present of a volume as a tree: POSIX semantics over the namespace and the content.
#pragma once

#include "fs/acl.h"
#include "fs/tree.h"
#include "fs/volume.h"

namespace nacre::fs {

struct LiveTreeOptions {
  bool atime = true;  // false: never updated by reads; true: as relatime says
};

class LiveTree final : public Tree {
 public:
  explicit LiveTree(Volume& volume, const LiveTreeOptions& options = {})
      : volume_(volume), options_(options) {}

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
  void leave_times_to_kernel() override { times_ = TimesBy::kKernel; }
  // Who sets the times of this tree's files.
  TimesBy times() const { return times_; }
  std::vector<InodeId> referenced() override { return volume_.references().all(); }
  bool is_scarce() const override { return volume_.is_scarce(); }
  Status admit_write(InodeId ino, uint64_t bytes) override {
    return volume_.admit_write(ino, bytes);
  }
  std::vector<InodeId> age_promises() override { return volume_.age_promises(); }
  void drop_aged_promises() override { volume_.drop_aged_promises(); }
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
  Result<TreeSpace> space() override;

 private:
  Entry entry_of(const meta::Inode& inode);
  // Whether a read now moves the access time, and to when.
  std::optional<Timestamp> due_atime(const wire::InodeRow& row) const;
  void touch_atime(InodeId ino);
  Status set_acl(InodeId ino, std::string_view name, std::string_view value, bool kill_sgid);
  Status remove_acl(InodeId ino, std::string_view name);

  Volume& volume_;
  LiveTreeOptions options_;
  TimesBy times_ = TimesBy::kTree;  // set before the first request
};

}  // namespace nacre::fs
