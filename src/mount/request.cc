#include "mount/request.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

namespace nacre::mount {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// Times beyond what 64 bits of nanoseconds hold (years 1677 to 2262) stop at the ends.
Timestamp timestamp(Arguments& in, uint64_t wire_seconds, uint32_t nanoseconds) {
  if (nanoseconds >= kNsPerSecond) {
    in.refuse();
    return {};
  }
  constexpr int64_t kLastSecond = INT64_MAX / kNsPerSecond - 1;
  const auto seconds = std::clamp(static_cast<int64_t>(wire_seconds), -kLastSecond, kLastSecond);
  return {seconds * kNsPerSecond + nanoseconds};
}

meta::FileType type_of(Arguments& in, uint32_t mode) {
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
      return meta::FileType::kRegular;
    case S_IFIFO:
      return meta::FileType::kFifo;
    case S_IFSOCK:
      return meta::FileType::kSocket;
    case S_IFCHR:
      return meta::FileType::kCharDevice;
    case S_IFBLK:
      return meta::FileType::kBlockDevice;
    default:
      in.refuse();
      return meta::FileType::kRegular;
  }
}

fs::RenameMode rename_mode(Arguments& in, uint32_t flags) {
  switch (flags) {
    case 0:
      return fs::RenameMode::kReplace;
    case RENAME_NOREPLACE:
      return fs::RenameMode::kNoReplace;
    case RENAME_EXCHANGE:
      return fs::RenameMode::kExchange;
    default:
      in.refuse();
      return fs::RenameMode::kReplace;
  }
}

bool within_a_file(uint64_t offset, uint64_t length) {
  return offset <= meta::kMaxFileBytes && length <= meta::kMaxFileBytes - offset;
}

}  // namespace

Result<Request> parse_request(ByteView message) {
  Arguments in(message);
  const auto header = in.fixed<fuse_in_header>();
  if (!in.ok() || header.len != message.size()) return Code::kInvalid;
  return Request{
      .opcode = header.opcode,
      .unique = header.unique,
      .node = InodeId{header.nodeid},
      .caller = {.uid = header.uid, .gid = header.gid, .umask = 0, .pid = header.pid},
      .arguments = message.subspan(sizeof(header)),
  };
}

ByteView Arguments::bytes(size_t count) {
  if (count > rest_.size()) ok_ = false;
  if (!ok_) return {};
  const ByteView taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

std::string_view Arguments::text() {
  const size_t length = as_text(rest_).find('\0');
  if (length == std::string_view::npos) ok_ = false;
  if (!ok_) return {};
  return as_text(bytes(length + 1)).substr(0, length);
}

std::string_view Arguments::name() {
  const std::string_view name = text();
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos) {
    ok_ = false;
  }
  return ok_ ? name : std::string_view();
}

NoArgs NoArgs::decode(Arguments&, const Dialect&) { return {}; }

ReleasedirArgs ReleasedirArgs::decode(Arguments& in, const Dialect&) {
  return {in.fixed<fuse_release_in>().fh};
}

GetattrArgs GetattrArgs::decode(Arguments& in, const Dialect&) {
  return {(in.fixed<fuse_getattr_in>().getattr_flags & FUSE_GETATTR_FH) != 0};
}

NameArgs NameArgs::decode(Arguments& in, const Dialect&) { return {in.name()}; }

ForgetArgs ForgetArgs::decode(Arguments& in, const Dialect&) {
  return {in.fixed<fuse_forget_in>().nlookup};
}

BatchForgetArgs BatchForgetArgs::decode(Arguments& in, const Dialect&) {
  const auto head = in.fixed<fuse_batch_forget_in>();
  return {in.bytes(size_t{head.count} * sizeof(fuse_forget_one))};
}

fuse_forget_one BatchForgetArgs::operator[](size_t index) const {
  fuse_forget_one one = {};
  std::memcpy(&one, items.data() + index * sizeof(one), sizeof(one));
  return one;
}

SetattrArgs SetattrArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_setattr_in>();
  const auto has = [&wire](uint32_t bit) { return (wire.valid & bit) != 0; };
  meta::SetAttr change;
  if (has(FATTR_MODE)) change.mode = wire.mode & 07777;
  if (has(FATTR_UID)) change.uid = wire.uid;
  if (has(FATTR_GID)) change.gid = wire.gid;
  if (has(FATTR_SIZE)) {
    if (!within_a_file(wire.size, 0)) in.refuse();
    change.size = wire.size;
  }
  if (has(FATTR_ATIME_NOW)) {
    change.atime_now = true;
  } else if (has(FATTR_ATIME)) {
    change.atime = timestamp(in, wire.atime, wire.atimensec);
  }
  if (has(FATTR_MTIME_NOW)) {
    change.mtime_now = true;
  } else if (has(FATTR_MTIME)) {
    change.mtime = timestamp(in, wire.mtime, wire.mtimensec);
  }
  if (has(FATTR_CTIME)) change.ctime = timestamp(in, wire.ctime, wire.ctimensec);
  change.kill_suid_sgid = has(FATTR_KILL_SUIDGID);
  return {change};
}

StatxArgs StatxArgs::decode(Arguments& in, const Dialect&) {
  return {in.fixed<abi::StatxIn>().mask};
}

MknodArgs MknodArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_mknod_in>();
  // The kernel's 32-bit device numbers are what makedev(3) gives for the same major and minor.
  const fs::NewNode node = {
      .type = type_of(in, wire.mode), .mode = wire.mode & 07777, .rdev = wire.rdev, .target = {}};
  return {node, wire.umask, in.name()};
}

MkdirArgs MkdirArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_mkdir_in>();
  const fs::NewNode node = {
      .type = meta::FileType::kDirectory, .mode = wire.mode & 07777, .rdev = 0, .target = {}};
  return {node, wire.umask, in.name()};
}

SymlinkArgs SymlinkArgs::decode(Arguments& in, const Dialect&) {
  const std::string_view name = in.name();
  return {name, in.text()};
}

CreateArgs CreateArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_create_in>();
  const fs::NewNode node = {
      .type = meta::FileType::kRegular, .mode = wire.mode & 07777, .rdev = 0, .target = {}};
  return {node, wire.umask, wire.flags, in.name()};
}

LinkArgs LinkArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_link_in>();
  return {InodeId{wire.oldnodeid}, in.name()};
}

RenameArgs RenameArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_rename_in>();
  const std::string_view name = in.name();
  return {InodeId{wire.newdir}, fs::RenameMode::kReplace, name, in.name()};
}

Rename2Args Rename2Args::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_rename2_in>();
  const fs::RenameMode mode = rename_mode(in, wire.flags);
  const std::string_view name = in.name();
  return {{InodeId{wire.newdir}, mode, name, in.name()}};
}

ReadArgs ReadArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_read_in>();
  return {wire.offset, wire.size};
}

WriteArgs WriteArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_write_in>();
  if (!within_a_file(wire.offset, wire.size)) in.refuse();
  fs::WriteOptions options;
  options.from_cache = (wire.write_flags & FUSE_WRITE_CACHE) != 0;
  options.kill_suid_sgid = (wire.write_flags & FUSE_WRITE_KILL_SUIDGID) != 0;
  // The flags of a write from the cache are those of some open file, not of the writer.
  options.durable = !options.from_cache && (wire.flags & (O_SYNC | O_DSYNC)) != 0;
  return {wire.offset, in.bytes(wire.size), options};
}

FsyncArgs FsyncArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_fsync_in>();
  const bool data_only = (wire.fsync_flags & FUSE_FSYNC_FDATASYNC) != 0;
  return {data_only ? fs::SyncScope::kData : fs::SyncScope::kAll};
}

FallocateArgs FallocateArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_fallocate_in>();
  if (wire.length == 0 || !within_a_file(wire.offset, wire.length)) in.refuse();
  return {wire.offset, wire.length, wire.mode};
}

LseekArgs LseekArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_lseek_in>();
  if (wire.whence != SEEK_DATA && wire.whence != SEEK_HOLE) in.refuse();
  return {wire.offset, wire.whence == SEEK_DATA ? fs::SeekKind::kData : fs::SeekKind::kHole};
}

CopyArgs CopyArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_copy_file_range_in>();
  if (wire.flags != 0 || !within_a_file(wire.off_in, 0) || !within_a_file(wire.off_out, 0)) {
    in.refuse();
  }
  const uint64_t room = meta::kMaxFileBytes - std::max(wire.off_in, wire.off_out);
  return {InodeId{wire.nodeid_out}, wire.off_in, wire.off_out, std::min(wire.len, room)};
}

GetxattrArgs GetxattrArgs::decode(Arguments& in, const Dialect&) {
  const auto wire = in.fixed<fuse_getxattr_in>();
  return {wire.size, in.text()};
}

ListxattrArgs ListxattrArgs::decode(Arguments& in, const Dialect&) {
  return {in.fixed<fuse_getxattr_in>().size};
}

SetxattrArgs SetxattrArgs::decode(Arguments& in, const Dialect& dialect) {
  const auto wire = in.fixed<fuse_setxattr_in>(dialect.setxattr_ext ? sizeof(fuse_setxattr_in)
                                                                    : abi::kOldSetxattrInBytes);
  const std::string_view name = in.text();
  fs::XattrMode mode = fs::XattrMode::kSet;
  if (wire.flags == XATTR_CREATE) mode = fs::XattrMode::kCreate;
  if (wire.flags == XATTR_REPLACE) mode = fs::XattrMode::kReplace;
  if ((wire.flags & ~uint32_t{XATTR_CREATE | XATTR_REPLACE}) != 0) in.refuse();
  if (wire.flags == (XATTR_CREATE | XATTR_REPLACE)) in.refuse();
  const bool kill_sgid = (wire.setxattr_flags & FUSE_SETXATTR_ACL_KILL_SGID) != 0;
  return {name, as_text(in.bytes(wire.size)), mode, kill_sgid};
}

RemovexattrArgs RemovexattrArgs::decode(Arguments& in, const Dialect&) { return {in.text()}; }

}  // namespace nacre::mount
