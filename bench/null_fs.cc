// null_fs [-f] [-o options] MOUNTPOINT: a FUSE file system that keeps attributes and nothing else.
// Writes are thrown away, reads give zeros. It is the ceiling that libfuse 3 sets on a machine for
// every file system behind it, and takes every shortcut that libfuse and the kernel offer:
//
// - entries and attributes may be cached for ever, pages are kept over close and open;
// - ENOSYS to create, open, opendir, flush, fsync, access and getxattr, so that the kernel stops
//   asking: a new file is then LOOKUP and MKNOD, and opening and closing cost no request;
// - requests of up to 1 MiB, without splicing, which costs small requests more than it saves;
// - one thread: handing requests from thread to thread would cost more than answering them.
//
// `-o writeback` adds the kernel's write-back cache. Content is then written as fast as memory is,
// but each rename and unlink of a file brings a SETATTR along with the new ctime.
#define FUSE_USE_VERSION 314

#include <fuse_lowlevel.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "null_tree.h"

namespace {

using nacre::bench::Node;
using nacre::bench::NullTree;

constexpr double kForeverSeconds = 1e9;
constexpr size_t kMaxRead = size_t{1} << 20;

NullTree* tree = nullptr;  // lives from before the first request to after the last
struct MountOptions {
  int writeback = 0;
} mount_options;
const std::array<char, kMaxRead> kZeros = {};

Node* node_of(fuse_ino_t ino) {
  if (ino == FUSE_ROOT_ID) return tree->root();
  return reinterpret_cast<Node*>(ino);  // NOLINT(performance-no-int-to-ptr): the node's own number
}

fuse_entry_param entry_of(Node* node, const struct stat& attr) {
  fuse_entry_param entry = {};
  entry.ino = reinterpret_cast<fuse_ino_t>(node);
  entry.attr = attr;
  entry.attr_timeout = kForeverSeconds;
  entry.entry_timeout = kForeverSeconds;
  return entry;
}

void init(void*, fuse_conn_info* connection) {
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_ATOMIC_O_TRUNC);
  if (mount_options.writeback != 0) connection->want |= FUSE_CAP_WRITEBACK_CACHE;
  connection->max_background = 64;
  connection->congestion_threshold = 48;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Node* node = nullptr;
  struct stat attr = {};
  if (const int error = tree->lookup(node_of(parent), name, &node, &attr)) {
    fuse_reply_err(request, error);
    return;
  }
  const fuse_entry_param entry = entry_of(node, attr);
  fuse_reply_entry(request, &entry);
}

void make_node(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  const fuse_ctx* caller = fuse_req_ctx(request);
  Node* node = nullptr;
  struct stat attr = {};
  if (const int error =
          tree->make(node_of(parent), name, mode, caller->uid, caller->gid, device, &node, &attr)) {
    fuse_reply_err(request, error);
    return;
  }
  const fuse_entry_param entry = entry_of(node, attr);
  fuse_reply_entry(request, &entry);
}

void make_directory(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  make_node(request, parent, name, mode | S_IFDIR, 0);
}

void unlink_file(fuse_req_t request, fuse_ino_t parent, const char* name) {
  fuse_reply_err(request, tree->remove(node_of(parent), name, false));
}

void remove_directory(fuse_req_t request, fuse_ino_t parent, const char* name) {
  fuse_reply_err(request, tree->remove(node_of(parent), name, true));
}

void rename_entry(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
                  const char* new_name, unsigned flags) {
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  fuse_reply_err(request, tree->rename(node_of(parent), name, node_of(new_parent), new_name,
                                       (flags & RENAME_NOREPLACE) == 0));
}

void forget(fuse_req_t request, fuse_ino_t ino, uint64_t references) {
  tree->forget(node_of(ino), references);
  fuse_reply_none(request);
}

void forget_many(fuse_req_t request, size_t count, fuse_forget_data* forgets) {
  for (size_t at = 0; at < count; ++at) tree->forget(node_of(forgets[at].ino), forgets[at].nlookup);
  fuse_reply_none(request);
}

void get_attr(fuse_req_t request, fuse_ino_t ino, fuse_file_info*) {
  const struct stat attr = tree->attr(node_of(ino));
  fuse_reply_attr(request, &attr, kForeverSeconds);
}

void apply(const struct stat& from, int which, struct stat& to) {
  if (which & FUSE_SET_ATTR_MODE) to.st_mode = (to.st_mode & S_IFMT) | (from.st_mode & 07777);
  if (which & FUSE_SET_ATTR_UID) to.st_uid = from.st_uid;
  if (which & FUSE_SET_ATTR_GID) to.st_gid = from.st_gid;
  if (which & FUSE_SET_ATTR_SIZE) to.st_size = from.st_size;
  if (which & FUSE_SET_ATTR_ATIME) to.st_atim = from.st_atim;
  if (which & FUSE_SET_ATTR_MTIME) to.st_mtim = from.st_mtim;
  if (which & FUSE_SET_ATTR_ATIME_NOW) to.st_atim = to.st_ctim;
  if (which & FUSE_SET_ATTR_MTIME_NOW) to.st_mtim = to.st_ctim;
}

void set_attr(fuse_req_t request, fuse_ino_t ino, struct stat* attr, int which, fuse_file_info*) {
  const struct stat changed =
      tree->change(node_of(ino), [&](struct stat& kept) { apply(*attr, which, kept); });
  fuse_reply_attr(request, &changed, kForeverSeconds);
}

// The kernel takes ENOSYS for "need not be asked", and remembers.
void open_file(fuse_req_t request, fuse_ino_t, fuse_file_info*) { fuse_reply_err(request, ENOSYS); }

void read_directory(fuse_req_t request, fuse_ino_t ino, size_t size, off_t offset, bool plus) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(size);
  size_t used = 0;
  tree->read(node_of(ino), static_cast<size_t>(offset), plus, [&](const NullTree::Entry& entry) {
    const fuse_entry_param full = entry_of(entry.node, entry.attr);
    const char* name = entry.name.c_str();
    char* at = buffer.get() + used;
    const auto next = static_cast<off_t>(entry.next);
    const size_t bytes = plus
                             ? fuse_add_direntry_plus(request, at, size - used, name, &full, next)
                             : fuse_add_direntry(request, at, size - used, name, &entry.attr, next);
    if (bytes > size - used) return false;
    used += bytes;
    return true;
  });
  fuse_reply_buf(request, buffer.get(), used);
}

void readdir_plain(fuse_req_t request, fuse_ino_t ino, size_t size, off_t offset, fuse_file_info*) {
  read_directory(request, ino, size, offset, false);
}

void readdir_plus(fuse_req_t request, fuse_ino_t ino, size_t size, off_t offset, fuse_file_info*) {
  read_directory(request, ino, size, offset, true);
}

void read_zeros(fuse_req_t request, fuse_ino_t ino, size_t size, off_t offset, fuse_file_info*) {
  const off_t left = std::max<off_t>(tree->attr(node_of(ino)).st_size - offset, 0);
  fuse_reply_buf(request, kZeros.data(), std::min({size, kMaxRead, static_cast<size_t>(left)}));
}

void write_nothing(fuse_req_t request, fuse_ino_t ino, const char*, size_t size, off_t offset,
                   fuse_file_info*) {
  tree->wrote(node_of(ino), offset + static_cast<off_t>(size));
  fuse_reply_write(request, size);
}

void stat_fs(fuse_req_t request, fuse_ino_t) {
  struct statvfs space = {};
  space.f_bsize = space.f_frsize = 4096;
  space.f_blocks = space.f_bfree = space.f_bavail = fsblkcnt_t{1} << 30;
  space.f_files = space.f_ffree = fsfilcnt_t{1} << 30;
  space.f_namemax = 255;
  fuse_reply_statfs(request, &space);
}

fuse_lowlevel_ops operations() {
  fuse_lowlevel_ops ops = {};
  ops.init = init;
  ops.lookup = lookup;
  ops.forget = forget;
  ops.forget_multi = forget_many;
  ops.getattr = get_attr;
  ops.setattr = set_attr;
  ops.mknod = make_node;
  ops.mkdir = make_directory;
  ops.unlink = unlink_file;
  ops.rmdir = remove_directory;
  ops.rename = rename_entry;
  ops.open = open_file;
  ops.opendir = open_file;
  ops.readdir = readdir_plain;
  ops.readdirplus = readdir_plus;
  ops.read = read_zeros;
  ops.write = write_nothing;
  ops.statfs = stat_fs;
  return ops;
}

bool serve(fuse_session* session, const fuse_cmdline_opts& options) {
  if (fuse_set_signal_handlers(session) != 0) return false;
  bool served = false;
  if (fuse_session_mount(session, options.mountpoint) == 0) {
    fuse_daemonize(options.foreground);
    served = fuse_session_loop(session) == 0;
    fuse_session_unmount(session);
  }
  fuse_remove_signal_handlers(session);
  return served;
}

bool run(fuse_args* args) {
  const std::array<fuse_opt, 2> known = {
      fuse_opt{"writeback", offsetof(MountOptions, writeback), 1}, fuse_opt FUSE_OPT_END};
  fuse_cmdline_opts options = {};
  if (fuse_parse_cmdline(args, &options) != 0) return false;
  const std::unique_ptr<char, decltype(&::free)> mountpoint(options.mountpoint, ::free);
  if (!mountpoint) {
    std::fprintf(stderr, "usage: null_fs [-f] [-o writeback] MOUNTPOINT\n");
    return false;
  }
  if (fuse_opt_parse(args, &mount_options, known.data(), nullptr) != 0) return false;
  const fuse_lowlevel_ops ops = operations();
  fuse_session* session = fuse_session_new(args, &ops, sizeof(ops), nullptr);
  if (session == nullptr) return false;
  const bool served = serve(session, options);
  fuse_session_destroy(session);
  return served;
}

}  // namespace

int main(int argc, char* argv[]) {
  NullTree served_tree;
  tree = &served_tree;
  fuse_args args = FUSE_ARGS_INIT(argc, argv);
  const bool served = run(&args);
  fuse_opt_free_args(&args);
  return served ? 0 : 1;
}
