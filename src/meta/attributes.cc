// Attributes of an inode: mode, owner, size, times.
#include "meta/namespace.h"

namespace nacre::meta {

namespace {

constexpr uint32_t kSetuid = 04000;
constexpr uint32_t kSetgid = 02000;
constexpr uint32_t kGroupExecute = 010;

void kill_privileges(wire::InodeRow& row) {
  row.mode &= ~kSetuid;
  if (row.mode & kGroupExecute) row.mode &= ~kSetgid;
}

}  // namespace

Result<Inode> Namespace::set_attributes(InodeId ino, const SetAttr& change) {
  Inode inode = TRY(load_inode(rows_, ino));
  wire::InodeRow& row = inode.row;
  const wire::InodeRow before = row;
  const Timestamp now = clock_.now();
  if (change.size && *change.size > kMaxFileBytes) return Code::kTooBig;
  if (change.size && inode.is_directory()) return Code::kIsDirectory;
  if (change.size && inode.type() != FileType::kRegular) return Code::kInvalid;
  if (change.kill_suid_sgid) kill_privileges(row);
  if (change.mode) row.mode = *change.mode & 07777;
  if (change.uid) row.uid = *change.uid;
  if (change.gid) row.gid = *change.gid;
  if (change.size) {
    row.size = *change.size;
    row.content = rows_.active_sequence();
    if (!change.size_keeps_mtime) row.mtime = now;
  }
  if (change.atime) row.atime = *change.atime;
  if (change.mtime) row.mtime = *change.mtime;
  if (change.atime_now) row.atime = now;
  if (change.mtime_now) row.mtime = now;
  row.ctime = change.ctime.value_or(now);

  wire::InodeRow but_atime = row;
  but_atime.atime = before.atime;
  but_atime.ctime = before.ctime;
  if (change.ctime && wire::encode(but_atime) == wire::encode(before)) {
    rows_.put_quietly(wire::inode_key(ino), wire::encode(row), inode.stored);
  } else {
    store(inode);
  }
  return inode;
}

Result<Inode> Namespace::touch_content(InodeId ino, std::optional<uint64_t> size, bool set_times,
                                       bool kill_suid_sgid) {
  Inode inode = TRY(load_inode(rows_, ino));
  if (size) inode.row.size = *size;
  inode.row.content = rows_.active_sequence();
  if (set_times) inode.row.mtime = inode.row.ctime = clock_.now();
  if (kill_suid_sgid) kill_privileges(inode.row);
  store(inode);
  return inode;
}

Status Namespace::touch_atime(InodeId ino, Timestamp atime) {
  Inode inode = TRY(load_inode(rows_, ino));
  inode.row.atime = atime;
  rows_.put_quietly(wire::inode_key(ino), wire::encode(inode.row), inode.stored);
  return {};
}

Status Namespace::set_mode_and_flags(InodeId ino, uint32_t mode, uint8_t set_flags,
                                     uint8_t clear_flags) {
  Inode inode = TRY(load_inode(rows_, ino));
  inode.row.mode = mode & 07777;
  inode.row.flags = static_cast<uint8_t>((inode.row.flags | set_flags) & ~clear_flags);
  inode.row.ctime = clock_.now();
  store(inode);
  return {};
}

}  // namespace nacre::meta
