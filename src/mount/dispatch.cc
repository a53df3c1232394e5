#include "mount/dispatch.h"

#include <fmt/format.h>

#include <cerrno>

#include "mount/handlers.h"

namespace nacre::mount {
namespace {

using Handler = void (*)(Turn& turn, ByteView arguments);

struct Operation {
  const char* name = nullptr;
  size_t least_bytes = 0;  // of arguments
  Handler handler = nullptr;
  bool answered = true;
};

template <class Args, void (*Body)(Turn&, const Args&)>
void decoded(Turn& turn, ByteView arguments) {
  Arguments in(arguments);
  const Args args = Args::decode(in, turn.session().features.dialect);
  if (!in.ok()) return turn.fail(EINVAL);
  Body(turn, args);
}

// As above for operations without an answer.
template <class Args, void (*Body)(Turn&, const Args&)>
void decoded_silently(Turn& turn, ByteView arguments) {
  Arguments in(arguments);
  const Args args = Args::decode(in, turn.session().features.dialect);
  if (in.ok()) Body(turn, args);
}

// ENOSYS is the kernel's word for "do not ask again"; it then does what is right by itself.
void never_again(Turn& turn, ByteView) { turn.fail(ENOSYS); }
void refuse(Turn& turn, ByteView) { turn.fail(EOPNOTSUPP); }
void nothing(Turn&, ByteView) {}
void done(Turn& turn, ByteView) { turn.done(); }

template <class... T>
constexpr size_t kBytes = (sizeof(T) + ... + 0);
constexpr size_t kName = 2;  // a letter and the NUL

constexpr size_t kTableSize = 64;

constexpr auto kTable = [] {
  std::array<Operation, kTableSize> t = {};
  t[FUSE_LOOKUP] = {"LOOKUP", kName, decoded<NameArgs, lookup>};
  t[FUSE_FORGET] = {"FORGET", kBytes<fuse_forget_in>, decoded_silently<ForgetArgs, forget>, false};
  t[FUSE_BATCH_FORGET] = {"BATCH_FORGET", kBytes<fuse_batch_forget_in>,
                          decoded_silently<BatchForgetArgs, batch_forget>, false};
  t[FUSE_GETATTR] = {"GETATTR", kBytes<fuse_getattr_in>, decoded<GetattrArgs, getattr>};
  t[FUSE_SETATTR] = {"SETATTR", kBytes<fuse_setattr_in>, decoded<SetattrArgs, setattr>};
  t[abi::kStatx] = {"STATX", kBytes<abi::StatxIn>, decoded<StatxArgs, statx>};
  t[FUSE_STATFS] = {"STATFS", 0, decoded<NoArgs, statfs>};
  t[FUSE_READLINK] = {"READLINK", 0, decoded<NoArgs, readlink>};
  t[FUSE_SYMLINK] = {"SYMLINK", kName + 1, decoded<SymlinkArgs, symlink>};
  t[FUSE_MKNOD] = {"MKNOD", kBytes<fuse_mknod_in> + kName, decoded<MknodArgs, mknod>};
  t[FUSE_MKDIR] = {"MKDIR", kBytes<fuse_mkdir_in> + kName, decoded<MkdirArgs, mkdir>};
  t[FUSE_CREATE] = {"CREATE", kBytes<fuse_create_in> + kName, decoded<CreateArgs, create>};
  t[FUSE_LINK] = {"LINK", kBytes<fuse_link_in> + kName, decoded<LinkArgs, link>};
  t[FUSE_UNLINK] = {"UNLINK", kName, decoded<NameArgs, unlink>};
  t[FUSE_RMDIR] = {"RMDIR", kName, decoded<NameArgs, rmdir>};
  t[FUSE_RENAME] = {"RENAME", kBytes<fuse_rename_in> + 2 * kName, decoded<RenameArgs, rename>};
  t[FUSE_RENAME2] = {"RENAME2", kBytes<fuse_rename2_in> + 2 * kName, decoded<Rename2Args, rename2>};
  t[FUSE_OPEN] = {"OPEN", kBytes<fuse_open_in>, decoded<NoArgs, open>};
  t[FUSE_OPENDIR] = {"OPENDIR", kBytes<fuse_open_in>, decoded<NoArgs, opendir>};
  t[FUSE_RELEASE] = {"RELEASE", kBytes<fuse_release_in>, decoded<NoArgs, release>};
  t[FUSE_RELEASEDIR] = {"RELEASEDIR", kBytes<fuse_release_in>, decoded<ReleasedirArgs, releasedir>};
  t[FUSE_READDIR] = {"READDIR", kBytes<fuse_read_in>, decoded<ReadArgs, readdir>};
  t[FUSE_READDIRPLUS] = {"READDIRPLUS", kBytes<fuse_read_in>, decoded<ReadArgs, readdirplus>};
  t[FUSE_READ] = {"READ", kBytes<fuse_read_in>, decoded<ReadArgs, read>};
  t[FUSE_WRITE] = {"WRITE", kBytes<fuse_write_in>, decoded<WriteArgs, write>};
  t[FUSE_FSYNC] = {"FSYNC", kBytes<fuse_fsync_in>, decoded<FsyncArgs, fsync>};
  t[FUSE_FSYNCDIR] = {"FSYNCDIR", kBytes<fuse_fsync_in>, decoded<FsyncArgs, fsync>};
  t[FUSE_FALLOCATE] = {"FALLOCATE", kBytes<fuse_fallocate_in>, decoded<FallocateArgs, fallocate>};
  t[FUSE_LSEEK] = {"LSEEK", kBytes<fuse_lseek_in>, decoded<LseekArgs, lseek>};
  t[FUSE_COPY_FILE_RANGE] = {"COPY_FILE_RANGE", kBytes<fuse_copy_file_range_in>,
                             decoded<CopyArgs, copy_file_range>};
  t[abi::kCopyFileRange64] = {"COPY_FILE_RANGE_64", kBytes<fuse_copy_file_range_in>,
                              decoded<CopyArgs, copy_file_range_64>};
  t[FUSE_GETXATTR] = {"GETXATTR", kBytes<fuse_getxattr_in> + 1, decoded<GetxattrArgs, getxattr>};
  t[FUSE_SETXATTR] = {"SETXATTR", abi::kOldSetxattrInBytes + 1, decoded<SetxattrArgs, setxattr>};
  t[FUSE_LISTXATTR] = {"LISTXATTR", kBytes<fuse_getxattr_in>, decoded<ListxattrArgs, listxattr>};
  t[FUSE_REMOVEXATTR] = {"REMOVEXATTR", 1, decoded<RemovexattrArgs, removexattr>};
  // Nothing is kept per open file, so closing one has nothing to flush; the kernel checks access by
  // itself.
  t[FUSE_FLUSH] = {"FLUSH", 0, never_again};
  t[FUSE_ACCESS] = {"ACCESS", 0, never_again};
  // Operations in progress are not cancelled: they are short, or wait for a disk or a bucket.
  t[FUSE_INTERRUPT] = {"INTERRUPT", 0, never_again};
  t[FUSE_TMPFILE] = {"TMPFILE", 0, never_again};
  t[FUSE_BMAP] = {"BMAP", 0, never_again};
  t[FUSE_IOCTL] = {"IOCTL", 0, never_again};
  t[FUSE_POLL] = {"POLL", 0, never_again};
  // Not negotiated: locks are the kernel's, as is the rest.
  t[FUSE_GETLK] = {"GETLK", 0, never_again};
  t[FUSE_SETLK] = {"SETLK", 0, never_again};
  t[FUSE_SETLKW] = {"SETLKW", 0, never_again};
  t[FUSE_SYNCFS] = {"SYNCFS", 0, never_again};
  t[FUSE_INIT] = {"INIT", 0, refuse};  // answered once, before there is a session
  t[FUSE_DESTROY] = {"DESTROY", 0, done};
  t[FUSE_NOTIFY_REPLY] = {"NOTIFY_REPLY", 0, nothing, false};
  return t;
}();

const Operation* operation(uint32_t opcode) {
  if (opcode >= kTable.size() || kTable[opcode].handler == nullptr) return nullptr;
  return &kTable[opcode];
}

}  // namespace

std::string name_of_opcode(uint32_t opcode) {
  const Operation* found = operation(opcode);
  return found != nullptr ? found->name : fmt::format("opcode {}", opcode);
}

void RequestCounts::add_to(Stats& stats) const {
  for (uint32_t opcode = 0; opcode < by_opcode_.size(); ++opcode) {
    const uint64_t count = by_opcode_[opcode].load(std::memory_order_relaxed);
    if (count != 0) stats[name_of_opcode(opcode)] += count;
  }
}

void dispatch(Session& session, ByteView message, Port& port, MutableBytes buffer,
              RequestCounts& counts) {
  const Result<Request> request = parse_request(message);
  if (!request.ok()) return;  // without a header there is nobody to answer
  counts.add(request->opcode);
  Turn turn(session, *request, port, buffer);
  const Operation* found = operation(request->opcode);
  if (found == nullptr) return turn.fail(ENOSYS);
  if (request->arguments.size() < found->least_bytes) {
    if (found->answered) turn.fail(EINVAL);
    return;
  }
  found->handler(turn, request->arguments);
}

}  // namespace nacre::mount
