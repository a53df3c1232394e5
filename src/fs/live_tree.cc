#include "fs/live_tree.h"

namespace nacre::fs {

namespace {

constexpr uint32_t kSetgid = 02000;
constexpr uint64_t kDotCookie = 1;
constexpr uint64_t kDotDotCookie = 2;
constexpr int64_t kDayNs = int64_t{24} * 3600 * 1'000'000'000;

bool is_acl(std::string_view name) { return name == kAccessAclName || name == kDefaultAclName; }

// What owner, mode and ACLs a new node gets in its directory.
struct Inherited {
  meta::NewInode node;
  std::optional<Acl> access;
  std::optional<std::string> defaults;
};

Result<Inherited> inherit(const meta::Namespace& names, const Caller& caller, InodeId parent,
                          const NewNode& node) {
  const meta::Inode directory = TRY(meta::load_inode(names.rows(), parent));
  Inherited made;
  made.node = {node.type, node.mode & 07777, caller.uid, caller.gid, node.rdev, node.target};
  if (directory.row.mode & kSetgid) {
    made.node.gid = directory.row.gid;
    if (node.type == meta::FileType::kDirectory) made.node.mode |= kSetgid;
  }
  if (node.type == meta::FileType::kSymlink) {
    made.node.mode = 0777;
    return made;
  }
  if (!(directory.row.flags & wire::kInodeHasDefaultAcl)) {
    made.node.mode &= ~caller.umask;
    return made;
  }
  made.defaults = TRY(meta::load_xattr(names.rows(), parent, kDefaultAclName));
  if (!made.defaults) return Error(Code::kCorrupt, "a default ACL is missing: run nacre check");
  const Acl defaults = TRY(Acl::decode(*made.defaults));
  made.access = defaults.inherit(made.node.mode);
  if (node.type != meta::FileType::kDirectory) made.defaults.reset();
  return made;
}

Status store_acls(meta::Namespace& names, InodeId ino, const Inherited& made) {
  uint8_t flags = 0;
  if (made.access && !made.access->is_minimal()) {
    TRY(names.set_xattr(ino, kAccessAclName, made.access->encode(), false, false));
    flags |= wire::kInodeHasAcl;
  }
  if (made.defaults) {
    TRY(names.set_xattr(ino, kDefaultAclName, *made.defaults, false, false));
    flags |= wire::kInodeHasDefaultAcl;
  }
  return flags == 0 ? Status() : names.set_mode_and_flags(ino, made.node.mode, flags, 0);
}

}  // namespace

Entry LiveTree::entry_of(const meta::Inode& inode) {
  volume_.references().add(inode.ino);
  return {meta::attr_of(inode), true};
}

Result<Entry> LiveTree::lookup(InodeId parent, std::string_view name) {
  Entry entry = TRY(volume_.look([&](const meta::Namespace& names) -> Result<Entry> {
    return entry_of(TRY(names.lookup(parent, name)));
  }));
  if (entry.attr.type == meta::FileType::kRegular) {
    auto attr = volume_.get_attr(entry.attr.ino);
    if (attr.ok()) entry.attr.allocated_bytes = attr->allocated_bytes;
  }
  return entry;
}

void LiveTree::forget(InodeId ino, uint64_t references) {
  // What cannot be dropped now (damaged rows) is found by check.
  if (volume_.references().subtract(ino, references) == 0) (void)volume_.released(ino).ok();
}

Result<meta::Attr> LiveTree::get_attr(InodeId ino) { return volume_.get_attr(ino); }

Result<meta::Attr> LiveTree::set_attr(const Caller&, InodeId ino, const meta::SetAttr& change) {
  TRY(volume_.admit_change(Volume::Growth::kNothingNew));
  meta::SetAttr wanted = change;
  wanted.size_keeps_mtime = times_ == TimesBy::kKernel;
  if (change.uid || change.gid || change.mode) {
    const meta::Inode inode = TRY(volume_.look(
        [&](const meta::Namespace& names) { return meta::load_inode(names.rows(), ino); }));
    if (!inode.is_directory() && (change.uid || change.gid)) wanted.kill_suid_sgid = true;
    if (change.mode && (inode.row.flags & wire::kInodeHasAcl)) {
      TRY(volume_.change([&](meta::Namespace& names) -> Status {
        const auto stored = TRY(meta::load_xattr(names.rows(), ino, kAccessAclName));
        if (!stored) return {};
        Acl acl = TRY(Acl::decode(*stored));
        acl.follow(*change.mode);
        return names.set_xattr(ino, kAccessAclName, acl.encode(), false, false);
      }));
    }
  }
  return volume_.set_attributes(ino, wanted);
}

Result<std::string> LiveTree::read_link(InodeId ino) {
  auto target = volume_.look([&](const meta::Namespace& names) -> Result<std::string> {
    const meta::Inode inode = TRY(meta::load_inode(names.rows(), ino));
    if (inode.type() != meta::FileType::kSymlink) return Code::kInvalid;
    return inode.row.target;
  });
  if (target.ok()) touch_atime(ino);
  return target;
}

Result<Entry> LiveTree::make_node(const Caller& caller, InodeId parent, std::string_view name,
                                  const NewNode& node) {
  TRY(volume_.admit_change(Volume::Growth::kNew));
  return volume_.change([&](meta::Namespace& names) -> Result<Entry> {
    const Inherited made = TRY(inherit(names, caller, parent, node));
    meta::Inode inode = TRY(names.make(parent, name, made.node));
    if (made.access) {
      TRY(store_acls(names, inode.ino, made));
      inode = TRY(meta::load_inode(names.rows(), inode.ino));
    }
    return entry_of(inode);
  });
}

Result<Entry> LiveTree::link(InodeId ino, InodeId new_parent, std::string_view new_name) {
  TRY(volume_.admit_change(Volume::Growth::kNew));
  Entry entry = TRY(volume_.change([&](meta::Namespace& names) -> Result<Entry> {
    return entry_of(TRY(names.link(ino, new_parent, new_name)));
  }));
  auto attr = volume_.get_attr(ino);
  if (attr.ok()) entry.attr = *attr;
  return entry;
}

Status LiveTree::unlink(InodeId parent, std::string_view name) {
  if (volume_.is_read_only()) return Code::kReadOnly;
  return volume_.change([&](meta::Namespace& names) NO_THREAD_SAFETY_ANALYSIS -> Status {
    return volume_.unlinked(TRY(names.unlink(parent, name)));
  });
}

Status LiveTree::remove_directory(InodeId parent, std::string_view name) {
  if (volume_.is_read_only()) return Code::kReadOnly;
  return volume_.change([&](meta::Namespace& names) NO_THREAD_SAFETY_ANALYSIS -> Status {
    return volume_.unlinked(TRY(names.remove_directory(parent, name)));
  });
}

Status LiveTree::rename(InodeId parent, std::string_view name, InodeId new_parent,
                        std::string_view new_name, RenameMode mode) {
  TRY(volume_.admit_change(Volume::Growth::kNothingNew));
  return volume_.change([&](meta::Namespace& names) NO_THREAD_SAFETY_ANALYSIS -> Status {
    const auto kind = mode == RenameMode::kExchange    ? meta::RenameKind::kExchange
                      : mode == RenameMode::kNoReplace ? meta::RenameKind::kNoReplace
                                                       : meta::RenameKind::kReplace;
    const auto done = TRY(names.rename(parent, name, new_parent, new_name, kind));
    return done.replaced ? volume_.unlinked(*done.replaced) : Status();
  });
}

Status LiveTree::read_directory(InodeId ino, uint64_t cookie, bool with_attr,
                                const std::function<bool(const DirectoryEntry&)>& sink) {
  TRY(volume_.look([&](const meta::Namespace& names) -> Status {
    const meta::Inode directory = TRY(meta::load_directory(names.rows(), ino));
    const auto type = meta::FileType::kDirectory;
    if (cookie < kDotCookie && !sink({".", ino, type, kDotCookie, nullptr})) return {};
    if (cookie < kDotDotCookie &&
        !sink({"..", directory.row.parent, type, kDotDotCookie, nullptr})) {
      return {};
    }
    Status failure;
    TRY(meta::visit_directory(names.rows(), ino, std::max(cookie, kDotDotCookie),
                              [&](const meta::Dentry& dentry) {
                                DirectoryEntry entry{dentry.row.name, dentry.row.ino,
                                                     static_cast<meta::FileType>(dentry.row.type),
                                                     dentry.cookie, nullptr};
                                if (!with_attr) return sink(entry);
                                auto inode = meta::load_inode(names.rows(), dentry.row.ino);
                                if (!inode.ok()) {
                                  failure = std::move(inode).error();
                                  return false;
                                }
                                const meta::Attr attr = meta::attr_of(*inode);
                                entry.attr = &attr;
                                volume_.references().add(entry.ino);
                                if (sink(entry)) return true;
                                volume_.references().subtract(entry.ino, 1);
                                return false;
                              }));
    return failure;
  }));
  touch_atime(ino);
  return {};
}

std::optional<Timestamp> LiveTree::due_atime(const wire::InodeRow& row) const {
  const Timestamp now = volume_.clock().now();
  if (row.atime <= row.mtime || row.atime <= row.ctime || now.ns - row.atime.ns >= kDayNs)
    return now;
  return std::nullopt;
}

void LiveTree::touch_atime(InodeId ino) {
  if (!options_.atime || volume_.is_read_only()) return;
  const auto due = volume_.look([&](const meta::Namespace& names) -> std::optional<Timestamp> {
    const auto inode = meta::load_inode(names.rows(), ino);
    return inode.ok() ? due_atime(inode->row) : std::nullopt;
  });
  if (!due) return;
  // The read itself succeeded: a failure to note its time is no failure.
  (void)volume_.change([&](meta::Namespace& names) { return names.touch_atime(ino, *due); }).ok();
}

Result<size_t> LiveTree::read(InodeId ino, uint64_t offset, MutableBytes into) {
  const size_t length = TRY(volume_.read(ino, offset, into));
  touch_atime(ino);
  return length;
}

Status LiveTree::write(InodeId ino, uint64_t offset, ByteView data, const WriteOptions& options) {
  WriteOptions adjusted = options;
  if (times_ == TimesBy::kKernel) adjusted.times = times_;
  return volume_.write(ino, offset, data, adjusted);
}

Status LiveTree::sync(InodeId ino, SyncScope) {
  const auto type = volume_.look([&](const meta::Namespace& names) -> Result<meta::FileType> {
    return TRY(meta::load_inode(names.rows(), ino)).type();
  });
  if (type.ok() && *type != meta::FileType::kDirectory) return volume_.sync(ino);
  return volume_.commit();
}

Status LiveTree::allocate(InodeId ino, uint64_t offset, uint64_t length, AllocateMode mode) {
  return volume_.allocate(ino, offset, length, mode, times_);
}

Result<uint64_t> LiveTree::seek(InodeId ino, uint64_t offset, SeekKind kind) {
  return volume_.seek(ino, offset, kind);
}

Result<uint64_t> LiveTree::copy_range(InodeId from, uint64_t from_offset, InodeId to,
                                      uint64_t to_offset, uint64_t length) {
  return volume_.copy_range(from, from_offset, to, to_offset, length, times_);
}

Result<std::string> LiveTree::get_xattr(InodeId ino, std::string_view name) {
  return volume_.look([&](const meta::Namespace& names) -> Result<std::string> {
    const meta::Inode inode = TRY(meta::load_inode(names.rows(), ino));
    if (!(inode.row.flags & wire::kInodeHasXattrs)) return Code::kNoData;
    auto value = TRY(meta::load_xattr(names.rows(), ino, name));
    if (!value) return Code::kNoData;
    return std::move(*value);
  });
}

Result<std::vector<std::string>> LiveTree::list_xattrs(InodeId ino) {
  return volume_.look([&](const meta::Namespace& names) -> Result<std::vector<std::string>> {
    const meta::Inode inode = TRY(meta::load_inode(names.rows(), ino));
    if (!(inode.row.flags & wire::kInodeHasXattrs)) return std::vector<std::string>();
    return meta::list_xattrs(names.rows(), ino);
  });
}

Status LiveTree::set_xattr(InodeId ino, std::string_view name, std::string_view value,
                           XattrMode mode, bool kill_sgid) {
  TRY(volume_.admit_change(Volume::Growth::kNew));
  if (is_acl(name)) return set_acl(ino, name, value, kill_sgid);
  if (name.starts_with("system.")) return Code::kUnsupported;
  return volume_.change([&](meta::Namespace& names) {
    return names.set_xattr(ino, name, value, mode == XattrMode::kCreate,
                           mode == XattrMode::kReplace);
  });
}

// An access list that the mode can express is stored as the mode alone.
Status LiveTree::set_acl(InodeId ino, std::string_view name, std::string_view value,
                         bool kill_sgid) {
  const Acl acl = TRY(Acl::decode(value));
  return volume_.change([&](meta::Namespace& names) -> Status {
    const meta::Inode inode = TRY(meta::load_inode(names.rows(), ino));
    if (inode.type() == meta::FileType::kSymlink) return Code::kUnsupported;
    if (name == kDefaultAclName) {
      if (!inode.is_directory()) return Code::kAccess;
      TRY(names.set_xattr(ino, name, acl.encode(), false, false));
      return names.set_mode_and_flags(ino, inode.row.mode, wire::kInodeHasDefaultAcl, 0);
    }
    uint32_t mode = acl.apply_to(inode.row.mode);
    if (kill_sgid) mode &= ~kSetgid;
    if (!acl.is_minimal()) {
      TRY(names.set_xattr(ino, name, acl.encode(), false, false));
      return names.set_mode_and_flags(ino, mode, wire::kInodeHasAcl, 0);
    }
    if (inode.row.flags & wire::kInodeHasAcl) TRY(names.remove_xattr(ino, name));
    return names.set_mode_and_flags(ino, mode, 0, wire::kInodeHasAcl);
  });
}

Status LiveTree::remove_xattr(InodeId ino, std::string_view name) {
  TRY(volume_.admit_change(Volume::Growth::kNothingNew));
  if (is_acl(name)) return remove_acl(ino, name);
  return volume_.change([&](meta::Namespace& names) { return names.remove_xattr(ino, name); });
}

Status LiveTree::remove_acl(InodeId ino, std::string_view name) {
  const uint8_t flag = name == kAccessAclName ? wire::kInodeHasAcl : wire::kInodeHasDefaultAcl;
  return volume_.change([&](meta::Namespace& names) -> Status {
    const meta::Inode inode = TRY(meta::load_inode(names.rows(), ino));
    if (!(inode.row.flags & flag)) return Code::kNoData;
    TRY(names.remove_xattr(ino, name));
    return names.set_mode_and_flags(ino, inode.row.mode, 0, flag);
  });
}

Result<TreeSpace> LiveTree::space() {
  const VolumeUsage usage = volume_.usage();
  TreeSpace space;
  space.blocks = usage.capacity / space.block_bytes;
  space.available_blocks = usage.available / space.block_bytes;
  space.free_blocks = space.available_blocks;
  space.free_inodes = usage.available / 512;
  space.inodes = usage.inodes + space.free_inodes;
  return space;
}

}  // namespace nacre::fs
