// The kernel's side of the FUSE protocol: <linux/fuse.h> as Debian 12 ships it (7.38), and what
// later kernels added that Nacre understands. Names and layouts are the kernel's; only the spelling
// is ours.
#pragma once

#include <linux/fuse.h>

#include <cstddef>
#include <cstdint>

namespace nacre::mount::abi {

inline constexpr uint32_t kMinor = 45;  // the newest version understood here: Linux 6.18
inline constexpr uint32_t kOldestMinor =
    31;  // Linux 5.4: explicit invalidation, no-open directories

// Opcodes since 7.38.
inline constexpr uint32_t kStatx = 52;            // 7.39
inline constexpr uint32_t kCopyFileRange64 = 53;  // 7.45

// The layout of fuse_init_in before 7.36: without flags2.
inline constexpr size_t kOldInitInBytes = 16;
// The layout of fuse_setxattr_in without FUSE_SETXATTR_EXT.
inline constexpr size_t kOldSetxattrInBytes = FUSE_COMPAT_SETXATTR_IN_SIZE;

struct StatxTime {
  int64_t seconds;
  uint32_t nanoseconds;
  int32_t reserved;
};

struct Statx {
  uint32_t mask;  // STATX_* of <sys/stat.h>
  uint32_t blksize;
  uint64_t attributes;
  uint32_t nlink;
  uint32_t uid;
  uint32_t gid;
  uint16_t mode;
  uint16_t spare0;
  uint64_t ino;
  uint64_t size;
  uint64_t blocks;
  uint64_t attributes_mask;
  StatxTime atime;
  StatxTime btime;
  StatxTime ctime;
  StatxTime mtime;
  uint32_t rdev_major;
  uint32_t rdev_minor;
  uint32_t dev_major;
  uint32_t dev_minor;
  uint64_t spare2[14];
};

struct StatxIn {
  uint32_t getattr_flags;
  uint32_t reserved;
  uint64_t fh;
  uint32_t flags;
  uint32_t mask;
};

struct StatxOut {
  uint64_t attr_valid;
  uint32_t attr_valid_nsec;
  uint32_t flags;
  uint64_t spare[2];
  Statx stat;
};

struct CopyFileRangeOut {
  uint64_t bytes_copied;
};

static_assert(sizeof(StatxIn) == 24 && sizeof(Statx) == 256 && sizeof(StatxOut) == 288);
static_assert(sizeof(fuse_in_header) == 40 && sizeof(fuse_out_header) == 16);
static_assert(sizeof(fuse_init_in) == 64 && sizeof(fuse_init_out) == 64);
static_assert(sizeof(fuse_entry_out) == 128 && sizeof(fuse_setattr_in) == 88);

}  // namespace nacre::mount::abi
