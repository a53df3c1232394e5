// The two copies of a device's superblock. Changing them never leaves none: one is durable before
// the other is touched.
#pragma once

#include <string>

#include "base/result.h"
#include "device/backing.h"
#include "wire/device_layout.h"

namespace nacre::device {

struct FoundSuperblock {
  wire::Superblock superblock;  // the newer of the good copies
  int bad_copies = 0;           // damaged, or left behind by a crash: 0 or 1
  int write_first = 0;          // the copy that can best be spared
};

// kCorrupt, naming the device, when neither copy is good; kNewerFormat when one needs a later
// version; kIo when neither can be read.
Result<FoundSuperblock> read_superblocks(Backing& backing, const std::string& device_name);
// Both copies durable on return, `first` (0 or 1) before the other.
Status write_superblocks(Backing& backing, const wire::Superblock& superblock, int first);

}  // namespace nacre::device
