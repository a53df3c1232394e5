// The thread that talks to the kernel on our own account. Invalidating an inode makes the kernel
// write its dirty pages back first, through requests that workers answer; so it must never be a
// worker that waits for it.
//
// Two kinds of work share one queue, done in order: invalidations, and answers that need one before
// they can be computed. Safe from any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "mount/port.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::mount {

// Drops what the kernel caches of an inode: attributes, and the pages of [offset, offset + length),
// to the end when `length` is 0. Dirty ones are written back before. Blocks; for the notifier's
// thread.
Status invalidate_pages(Port& port, InodeId ino, uint64_t offset, uint64_t length);
// Drops only the attributes. Does not block; for any thread.
Status invalidate_attributes(Port& port, InodeId ino);

class Notifier {
 public:
  using Job = std::function<void(Port&)>;

  // `port` outlives the notifier.
  explicit Notifier(Port& port) : port_(port) {}
  ~Notifier() { stop(); }

  void start();
  // After the job under way; drops the rest. The mount is gone by then, so nobody waits for it.
  void stop();

  // Does `job` on the thread. False when kMaxJobs wait already: the caller answers with an error.
  // Never blocks.
  bool post(Job job);

  // Makes the kernel forget an inode's attributes and pages, or one directory entry or the absence
  // of one. Waits while kMaxInvalidations or more jobs are queued, so it must not be called by a
  // method of the tree.
  void invalidate_inode(InodeId ino, uint64_t offset, uint64_t length);
  void invalidate_entry(InodeId parent, std::string name);

  static constexpr size_t kMaxJobs = 4096;
  static constexpr size_t kMaxInvalidations = 1024;

 private:
  void run();
  void post_when_room(Job job);

  Port& port_;
  os::Mutex mutex_;  // guards the queue; not held while a job runs
  os::CondVar changed_;
  std::deque<Job> jobs_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;
};

}  // namespace nacre::mount
