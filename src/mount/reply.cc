#include "mount/reply.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstring>

namespace nacre::mount {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr uint32_t kIoBytes = 4096;     // st_blksize
constexpr uint32_t kSectorBytes = 512;  // the unit of st_blocks
constexpr uint64_t kForeverSeconds = uint64_t{1} << 30;

uint64_t seconds_to_keep(Keep keep) { return keep == Keep::kAlways ? kForeverSeconds : 0; }
uint64_t seconds_to_keep_name(Keep keep) { return keep == Keep::kNothing ? 0 : kForeverSeconds; }

struct WireTime {
  int64_t seconds;
  uint32_t nanoseconds;
};

WireTime wire_time(Timestamp time) {
  int64_t seconds = time.ns / kNsPerSecond;
  int64_t rest = time.ns % kNsPerSecond;
  if (rest < 0) {
    seconds -= 1;
    rest += kNsPerSecond;
  }
  return {seconds, static_cast<uint32_t>(rest)};
}

abi::StatxTime statx_time(Timestamp time) {
  const WireTime wire = wire_time(time);
  return {wire.seconds, wire.nanoseconds, 0};
}

uint32_t type_bits(meta::FileType type) {
  switch (type) {
    case meta::FileType::kRegular:
      return S_IFREG;
    case meta::FileType::kDirectory:
      return S_IFDIR;
    case meta::FileType::kSymlink:
      return S_IFLNK;
    case meta::FileType::kFifo:
      return S_IFIFO;
    case meta::FileType::kSocket:
      return S_IFSOCK;
    case meta::FileType::kCharDevice:
      return S_IFCHR;
    case meta::FileType::kBlockDevice:
      return S_IFBLK;
  }
  return S_IFREG;
}

uint64_t sectors(const meta::Attr& attr) {
  return attr.allocated_bytes / kSectorBytes + (attr.allocated_bytes % kSectorBytes != 0 ? 1 : 0);
}

}  // namespace

uint32_t wire_mode(const meta::Attr& attr) { return type_bits(attr.type) | (attr.mode & 07777); }

fuse_attr wire_attr(const meta::Attr& attr) {
  const WireTime atime = wire_time(attr.atime);
  const WireTime mtime = wire_time(attr.mtime);
  const WireTime ctime = wire_time(attr.ctime);
  return {
      .ino = attr.ino.value,
      .size = attr.size,
      .blocks = sectors(attr),
      .atime = static_cast<uint64_t>(atime.seconds),
      .mtime = static_cast<uint64_t>(mtime.seconds),
      .ctime = static_cast<uint64_t>(ctime.seconds),
      .atimensec = atime.nanoseconds,
      .mtimensec = mtime.nanoseconds,
      .ctimensec = ctime.nanoseconds,
      .mode = wire_mode(attr),
      .nlink = attr.nlink,
      .uid = attr.uid,
      .gid = attr.gid,
      .rdev = static_cast<uint32_t>(attr.rdev),
      .blksize = kIoBytes,
      .flags = 0,
  };
}

fuse_attr_out attr_out(const meta::Attr& attr, Keep keep) {
  return {.attr_valid = seconds_to_keep(keep),
          .attr_valid_nsec = 0,
          .dummy = 0,
          .attr = wire_attr(attr)};
}

fuse_entry_out entry_out(const meta::Attr& attr, Keep keep) {
  return {
      .nodeid = attr.ino.value,
      .generation = 0,  // inode numbers are never reused
      .entry_valid = seconds_to_keep_name(keep),
      .attr_valid = seconds_to_keep(keep),
      .entry_valid_nsec = 0,
      .attr_valid_nsec = 0,
      .attr = wire_attr(attr),
  };
}

fuse_entry_out missing_entry_out() {
  fuse_entry_out out = {};
  out.entry_valid = kForeverSeconds;
  return out;
}

abi::StatxOut statx_out(const meta::Attr& attr, Keep keep) {
  abi::StatxOut out = {};
  out.attr_valid = seconds_to_keep(keep);
  out.stat.mask = STATX_BASIC_STATS | STATX_BTIME;
  out.stat.blksize = kIoBytes;
  out.stat.nlink = attr.nlink;
  out.stat.uid = attr.uid;
  out.stat.gid = attr.gid;
  out.stat.mode = static_cast<uint16_t>(wire_mode(attr));
  out.stat.ino = attr.ino.value;
  out.stat.size = attr.size;
  out.stat.blocks = sectors(attr);
  out.stat.atime = statx_time(attr.atime);
  out.stat.btime = statx_time(attr.btime);
  out.stat.ctime = statx_time(attr.ctime);
  out.stat.mtime = statx_time(attr.mtime);
  out.stat.rdev_major = major(attr.rdev);
  out.stat.rdev_minor = minor(attr.rdev);
  return out;
}

fuse_statfs_out statfs_out(const fs::TreeSpace& space) {
  fuse_statfs_out out = {};
  out.st.blocks = space.blocks;
  out.st.bfree = space.free_blocks;
  out.st.bavail = space.available_blocks;
  out.st.files = space.inodes;
  out.st.ffree = space.free_inodes;
  out.st.bsize = static_cast<uint32_t>(space.block_bytes);
  out.st.frsize = static_cast<uint32_t>(space.block_bytes);
  out.st.namelen = meta::kMaxNameBytes;
  return out;
}

bool DirectoryPacker::add(const fs::DirectoryEntry& entry) {
  const size_t head_bytes = with_attr_ ? sizeof(fuse_entry_out) : 0;
  const size_t plain_bytes = head_bytes + sizeof(fuse_dirent) + entry.name.size();
  const size_t padded_bytes = FUSE_REC_ALIGN(plain_bytes);
  if (padded_bytes > into_.size() - used_) return false;

  std::byte* at = into_.data() + used_;
  if (with_attr_) {
    const bool asks = keep_ == Keep::kName && entry.type == meta::FileType::kRegular;
    const Keep keep = keep_ == Keep::kName && !asks ? Keep::kAlways : keep_;
    const fuse_entry_out head =
        entry.attr != nullptr ? entry_out(*entry.attr, keep) : fuse_entry_out{};
    std::memcpy(at, &head, sizeof(head));
  }
  fuse_dirent dirent = {};
  dirent.ino = entry.ino.value;
  dirent.off = entry.cookie;
  dirent.namelen = static_cast<uint32_t>(entry.name.size());
  dirent.type = type_bits(entry.type) >> 12;  // the DT_* values
  std::memcpy(at + head_bytes, &dirent, sizeof(dirent));
  std::memcpy(at + head_bytes + sizeof(dirent), entry.name.data(), entry.name.size());
  std::memset(at + plain_bytes, 0, padded_bytes - plain_bytes);
  used_ += padded_bytes;
  return true;
}

}  // namespace nacre::mount
