// Dumps of a directory, by system calls, to be compared with those of the oracle; and what they and
// the runner share. Functions that fail set errno.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>

#include "model/tree_dump.h"
#include "os/fd.h"

namespace nacre::mount_test {

// A path to what the descriptor is of, also when that has no name any more.
std::string path_of(const os::Fd& fd);
meta::FileType type_of(mode_t mode);
meta::Attr attr_of(const struct stat& status);

struct Listed {
  std::string name;
  uint64_t ino = 0;
  meta::FileType type = meta::FileType::kRegular;
  int64_t next = 0;  // where seekdir(3) goes on after it
};
// Reads the rest of a directory through a buffer of so many bytes, but "." and "..", until `visit`
// returns false. The directory's position is past the last entry visited then.
bool each_entry(const os::Fd& directory, size_t buffer_bytes,
                const std::function<bool(const Listed&)>& visit);

// Everything below a directory. What cannot be read is a line that says why. `cold`: what the
// kernel has cached of a file is given up before the file is read.
model::Dump dump_of(const os::Fd& directory, const model::Aspects& aspects, bool cold,
                    model::Inodes* inodes = nullptr);
// The line of what a descriptor is of: one that can be read, where it is a file.
std::string line_of(const os::Fd& fd, const model::Aspects& aspects, bool cold);

}  // namespace nacre::mount_test
