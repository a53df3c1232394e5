// The seam to the FUSE shell: how a daemon mounts trees without knowing FUSE. Implemented over
// mount::Mount by the command line, and in memory by tests.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "fs/tree.h"
#include "meta/types.h"

namespace nacre::node {

struct MountPlan {
  std::string mountpoint;
  std::string source;   // what the mount table shows as the device: the volume's directory
  std::string options;  // of `-o`, comma-separated
  bool read_only = false;
  bool single_threaded = false;
  bool atime = true;  // false: reads leave no trace
};

// One attached tree. Methods may be called from any thread but those that serve the tree.
class Mounted {
 public:
  // Detaches, lazily if it is in use, and waits.
  virtual ~Mounted() = default;
  // Serves requests from threads of its own. Once.
  virtual void start() = 0;
  // Returns when the mount is gone, by whomever, and the last request is answered.
  virtual void wait() = 0;
  // The kernel writes everything dirty back first. kBusy when in use and not `lazy`.
  virtual Status unmount(bool lazy) = 0;
  // Absolute and without symlinks.
  virtual const std::string& mountpoint() const = 0;
  virtual bool read_only() const = 0;
  // Requests served so far.
  virtual uint64_t requests() const = 0;
  // The kernel hands over what is dirty. Nothing to do, and no error, once the mount is gone.
  // Blocks as long as that takes.
  virtual Status write_back() = 0;
  // Where the kernel holds dirty pages it believes nobody else about the sizes and times of files.
  // So what programs wrote to a regular file, `path` below the mountpoint, is handed over; then
  // `change` replaces its content; then the kernel learns the size and times it returns. kNotFound
  // when the path does not lead to `ino`; kAccess when this process may not open it.
  using ContentChange = std::function<Result<meta::Attr>()>;
  virtual Status change_content(const std::string& path, InodeId ino,
                                const ContentChange& change) = 0;
  // For other changes made behind the kernel's back: it drops what it keeps of an inode, or of a
  // name in a directory, its absence included. They take effect in order, soon.
  virtual void forget_inode(InodeId ino) = 0;
  virtual void forget_entry(InodeId parent, const std::string& name) = 0;
};

class Mounter {
 public:
  virtual ~Mounter() = default;
  // Attaches `tree`, which outlives what is returned. Nothing below the mountpoint answers before
  // start().
  virtual Result<std::unique_ptr<Mounted>> mount(fs::Tree& tree, const MountPlan& plan) = 0;
};

}  // namespace nacre::node
