// The values of the namespace: what an inode is, and what may be set on it. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/units.h"

namespace nacre::meta {

inline constexpr size_t kMaxNameBytes = 255;
inline constexpr size_t kMaxSymlinkBytes = 4095;
inline constexpr size_t kMaxXattrNameBytes = 255;
inline constexpr size_t kMaxXattrValueBytes = 64 * 1024;
inline constexpr uint64_t kMaxFileBytes = uint64_t{INT64_MAX};
inline constexpr uint32_t kMaxLinks = 4'000'000'000;

enum class FileType : uint8_t {
  kRegular = 1,
  kDirectory = 2,
  kSymlink = 3,
  kFifo = 4,
  kSocket = 5,
  kCharDevice = 6,
  kBlockDevice = 7,
};

struct Attr {
  InodeId ino;
  BirthId birth;
  FileType type = FileType::kRegular;
  uint32_t mode = 0;  // permission bits with setuid, setgid and sticky: 07777
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t nlink = 0;
  uint64_t rdev = 0;             // as makedev(3) gives it
  uint64_t size = 0;             // bytes; of a symlink its target's, of a directory its entries
  uint64_t allocated_bytes = 0;  // held by extents, pending writes included
  Timestamp atime, mtime, ctime, btime;
};

// Which attributes to change. `now` for a time means the volume's clock.
struct SetAttr {
  struct Now {};
  std::optional<uint32_t> mode;
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
  std::optional<uint64_t> size;
  std::optional<Timestamp> atime;
  std::optional<Timestamp> mtime;
  std::optional<Timestamp> ctime;
  bool atime_now = false;
  bool mtime_now = false;
  bool size_keeps_mtime = false;  // else a change of size sets the modification time
  bool kill_suid_sgid = false;    // drop setuid, and setgid where group-executable
};

}  // namespace nacre::meta
