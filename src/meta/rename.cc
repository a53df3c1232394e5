// rename: one name moves, replaces or changes places with another; never a block moves.
#include "meta/namespace.h"

namespace nacre::meta {

// The new parent's ancestors are read: a directory must not end up below itself.
Status Namespace::check_no_loop(InodeId moved, InodeId new_parent) const {
  for (InodeId at = new_parent; at != kRootInode;) {
    if (at == moved) return Code::kLoop;
    at = TRY(load_directory(rows_, at)).row.parent;
  }
  return {};
}

Result<Renamed> Namespace::rename(InodeId parent, std::string_view name, InodeId new_parent,
                                  std::string_view new_name, RenameKind kind) {
  TRY(check_name(new_name));
  TRY(load_open_directory(parent));
  TRY(load_open_directory(new_parent));
  const auto source = TRY(find_dentry(rows_, name_key_, parent, name));
  if (!source) return Code::kNotFound;
  auto target = TRY(find_dentry(rows_, name_key_, new_parent, new_name));
  if (kind == RenameKind::kExchange && !target) return Code::kNotFound;
  if (kind == RenameKind::kNoReplace && target) return Code::kExists;
  Renamed done{source->row.ino, {}, {}};
  if (target && target->row.ino == source->row.ino) return done;  // two names of one inode: POSIX

  Inode moved = TRY(load_inode(rows_, source->row.ino));
  if (moved.is_directory()) TRY(check_no_loop(moved.ino, new_parent));
  std::optional<Inode> other;
  if (target) other = TRY(load_inode(rows_, target->row.ino));
  if (kind == RenameKind::kExchange) {
    if (other->is_directory()) TRY(check_no_loop(other->ino, parent));
  } else if (other) {
    if (moved.is_directory() && !other->is_directory()) return Code::kNotDirectory;
    if (!moved.is_directory() && other->is_directory()) return Code::kIsDirectory;
    if (other->is_directory() && other->row.size != 0) return Code::kNotEmpty;
  }
  if (!target) TRY(free_cookie(new_parent, new_name));

  const bool across = parent != new_parent;
  const int64_t moved_dirs = moved.is_directory() ? 1 : 0;
  const int64_t other_dirs = other && other->is_directory() ? 1 : 0;
  const Timestamp now = clock_.now();
  auto put_entry = [&](InodeId directory, const Dentry& place, const Inode& inode) {
    wire::DentryRow row = place.row;
    row.ino = inode.ino;
    row.type = inode.row.type;
    rows_.put(wire::dentry_key(directory, place.cookie), wire::encode(row), place.stored);
  };
  auto rehome = [&](Inode& inode, InodeId directory) {
    if (inode.is_directory()) inode.row.parent = directory;
    inode.row.ctime = now;
    store(inode);
  };

  if (kind == RenameKind::kExchange) {
    put_entry(parent, *source, *other);
    put_entry(new_parent, *target, moved);
    rehome(moved, new_parent);
    rehome(*other, parent);
    done.exchanged = other->ino;
    Inode from = TRY(load_inode(rows_, parent));
    touch_directory(from, 0, across ? other_dirs - moved_dirs : 0);
    if (across) {
      Inode to = TRY(load_inode(rows_, new_parent));
      touch_directory(to, 0, moved_dirs - other_dirs);
    }
    return done;
  }

  if (target) {
    put_entry(new_parent, *target, moved);
    done.replaced = drop_link(*other);
  } else {
    insert(new_parent, TRY(free_cookie(new_parent, new_name)), new_name, moved.ino, moved.type());
  }
  rehome(moved, new_parent);
  TRY(erase(parent, *source));
  const int64_t gained = target ? 0 : 1;
  Inode from = TRY(load_inode(rows_, parent));
  if (across) {
    touch_directory(from, -1, -moved_dirs);
    Inode to = TRY(load_inode(rows_, new_parent));
    touch_directory(to, gained, moved_dirs - other_dirs);
  } else {
    touch_directory(from, gained - 1, -other_dirs);
  }
  return done;
}

}  // namespace nacre::meta
