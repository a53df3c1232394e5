// The mounts that one process serves: the present of its volume at most once, and moments of its
// past any number of times. All methods may be called from any thread but those that serve a mount.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "fs/volume.h"
#include "node/mounter.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::node {

struct MountState {
  std::string mountpoint;
  std::optional<Sequence> at;  // of a view; none: the present
  bool read_only = false;
  uint64_t requests = 0;
};

class Mounts {
 public:
  // `ended` is called when a mount came to its end, from any thread; it may not call back.
  // `write_back_interval_ns` 0: pages are written back only when asked for.
  Mounts(fs::Volume& volume, Mounter& mounter, std::function<void()> ended,
         int64_t write_back_interval_ns);
  // Detaches what is still there, and waits for it.
  ~Mounts();

  // The end of the last mount is not the end: others can be added until remove_all().
  void stay();

  // Mounts the present, or with `at` the volume as it was, and serves it. kBusy when the present is
  // mounted already or close_when_empty() had its way.
  Result<MountState> add(const MountPlan& plan, std::optional<Sequence> at);
  struct Removed {
    bool last = false;  // nothing is served any more and nothing can be added
  };
  // kNotFound for a place where we serve nothing; kBusy when it is in use and not `lazy`. A lazily
  // removed mount is served on until its files are closed, and is not `last` before.
  Result<Removed> remove(const std::string& mountpoint, bool lazy);
  // remove() for all, lazily where need be.
  void remove_all();
  // Lets go of the mounts that have ended. True when none is left and none can be added any more.
  bool reap();

  std::vector<MountState> list() const;
  // The mount of the present.
  std::optional<MountState> live() const;

  // What programs wrote to the present and the kernel holds is handed over to the volume.
  Status write_back();
  // Changes the content of a file of the present, see Mounted; `path` is from its root. Without a
  // mount of the present only `change` is called.
  Status change_content(const std::string& path, InodeId ino, const Mounted::ContentChange& change);
  // What the kernel knows of the present is out of date.
  void forget_inode(InodeId ino);
  void forget_entry(InodeId parent, const std::string& name);

 private:
  struct Served;
  using ServedPtr = std::shared_ptr<Served>;

  ServedPtr find_live() const;
  Status check_room(const MountPlan& plan, bool live) const;
  Status unmount(const ServedPtr& served, bool lazy);
  void write_back_loop(int64_t interval_ns);

  fs::Volume& volume_;
  Mounter& mounter_;
  const std::function<void()> ended_;

  // One mounts or unmounts at a time, and nobody has the mount open to write back meanwhile. Held
  // across those calls: that is its purpose. Before mutex_.
  mutable os::Mutex change_mutex_;
  mutable os::Mutex mutex_;  // a leaf
  os::CondVar wake_;
  bool stop_ GUARDED_BY(mutex_) = false;
  bool stays_ GUARDED_BY(mutex_) = false;
  bool closing_ GUARDED_BY(mutex_) = false;
  std::list<ServedPtr> served_ GUARDED_BY(mutex_);
  os::Thread write_back_thread_;
};

}  // namespace nacre::node
