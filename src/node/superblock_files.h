// The two copies of a volume's superblock on disk: docs/format/volume.md. Stateless; the caller
// holds the volume's lock when it writes.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "os/file_system.h"
#include "wire/volume_layout.h"

namespace nacre::node {

inline constexpr const char* kSuperblockName = "nacre.volume";
inline constexpr const char* kSuperblockCopyName = "nacre.volume.bak";
inline constexpr const char* kDestroyedName = "nacre.destroyed";

struct FoundSuperblock {
  wire::VolumeSuperblock superblock;
  std::vector<std::string> problems;  // of the other copy, one line each; mended by writing anew
};

// kNotFound when `directory` holds no volume; kCorrupt when no copy is good; kNewerFormat when
// either copy was written by a later version.
Result<FoundSuperblock> read_superblock(os::FileSystem& files, const std::string& directory);
// Whether there is a copy, good or bad.
Result<bool> has_superblock(os::FileSystem& files, const std::string& directory);
// Both copies, durable on return. At any moment one of them is whole.
Status write_superblock(os::FileSystem& files, const std::string& directory,
                        const wire::VolumeSuperblock& superblock);
// From then on the directory holds no volume. Durable on return.
Status remove_superblock(os::FileSystem& files, const std::string& directory);

// From then on the directory holds no volume, but says which one it held, until
// remove_superblock(). Durable on return.
Status mark_destroyed(os::FileSystem& files, const std::string& directory,
                      const wire::VolumeSuperblock& superblock);
// What mark_destroyed() left. kNotFound without it.
Result<wire::VolumeSuperblock> read_destroyed(os::FileSystem& files, const std::string& directory);

}  // namespace nacre::node
