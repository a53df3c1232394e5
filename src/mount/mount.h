// A mounted tree: the FUSE shell. Translates what the kernel asks into calls of an fs::Tree, and
// nothing else.
//
// mount() attaches the tree to a directory and agrees with the kernel on how to talk; start() sets
// workers to serve it; the mount ends by unmount(), by anybody's umount(8), or when the connection
// is aborted, and then wait() returns. All methods may be called from any thread but those of the
// tree's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "fs/tree.h"
#include "mount/connection.h"
#include "mount/dispatch.h"
#include "mount/mountpoint.h"
#include "mount/options.h"
#include "mount/session.h"
#include "mount/worker.h"
#include "os/mutex.h"

namespace nacre::mount {

class Mount {
 public:
  // Mounts `tree`, which outlives the mount, at `mountpoint`. Nothing below it answers before
  // start(). Errors are those of check_mountpoint(), attach() and negotiate().
  static Result<std::unique_ptr<Mount>> mount(fs::Tree& tree, const std::string& mountpoint,
                                              const Options& options);
  // Unmounts, lazily if it is in use, and waits.
  ~Mount();
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  // Serves from threads of its own. Once.
  void start();
  // Returns when the mount is gone and the last request is answered.
  void wait();
  // start() and wait().
  void serve();
  // The kernel writes everything dirty back before this returns. kBusy when in use and not lazy. It
  // does not forget the inodes it still knows: their references end with the mount.
  Status unmount(DetachMode mode = DetachMode::kIfIdle);

  const std::string& mountpoint() const { return mountpoint_; }
  const Features& features() const { return session_.features; }
  // Requests served so far.
  Stats stats() const;

  // For changes made behind the kernel's back (restore, other nodes): it drops what it keeps of an
  // inode, pages of [offset, offset + length) included (length 0: to the end), or of a name in a
  // directory, its absence included. Done in order by a thread of its own; waits while many are
  // queued.
  void notify_inval_inode(InodeId ino, uint64_t offset = 0, uint64_t length = 0);
  void notify_inval_entry(InodeId parent, const std::string& name);

 private:
  Mount(fs::Tree& tree, std::string mountpoint, const Options& options,
        std::unique_ptr<Connection> connection, const Features& features);
  // A connection of a worker's own, or nullptr where there cannot be one.
  Connection* clone_connection() REQUIRES(workers_mutex_);
  void add_worker() REQUIRES(workers_mutex_);
  // Adds workers while all there are wait for something far away, so that others are served.
  void add_workers_when_short();
  // Whether some worker saw the end of the mount.
  bool ended() const;

  const std::string mountpoint_;
  mutable os::Mutex workers_mutex_;  // a leaf
  // Each uses those before it.
  const std::unique_ptr<Connection> connection_;
  std::vector<std::unique_ptr<Connection>> clones_ GUARDED_BY(workers_mutex_);
  Notifier notifier_;
  Door door_;
  Session session_;
  const bool may_add_workers_;
  std::vector<std::unique_ptr<Worker>> workers_ GUARDED_BY(workers_mutex_);
  os::Thread staffing_;
  os::Mutex wait_mutex_;  // one waiter joins, others wait for it; held while the mount lasts
};

}  // namespace nacre::mount
