// Bringing back what a volume held: the walk over a file or a directory tree as of a moment, and
// the seam to where it goes (present_target.h: into the present; host_target.h: out of the volume).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "fs/volume.h"
#include "meta/types.h"

namespace nacre::node {

// A file of the past with all that makes it up but its content.
struct PastFile {
  Sequence at;  // it and its content are read as of this moment
  meta::Attr attr;
  std::string target;  // of a symlink
  std::vector<std::pair<std::string, std::string>> xattrs;
};
// kNotFound when there was no such inode then.
Result<PastFile> load_past_file(kv::Store& store, Sequence at, InodeId ino);

// Where restored files go. The walk calls it from one thread, children between the two calls for
// their directory. Names are those of the past; the name of the top is the target's own affair: it
// is "".
class RestoreTarget {
 public:
  virtual ~RestoreTarget() = default;
  virtual Status enter_directory(const std::string& name, const PastFile& directory) = 0;
  virtual Status leave_directory(const PastFile& directory) = 0;
  // Anything but a directory. The same inode may come under several names.
  virtual Status put(const std::string& name, const PastFile& file) = 0;
};

// Walks the file or tree that `top` was as of `at` into the target. Returns the number of files and
// directories. kBusy when `go_on`, called with that number from time to time, returns false;
// kBelowFloor when history up to `at` was given up meanwhile.
Result<uint64_t> restore(fs::Volume& volume, Sequence at, InodeId top, RestoreTarget& target,
                         const std::function<bool(uint64_t)>& go_on);

}  // namespace nacre::node
