// A thread that serves requests until the mount is gone.
#pragma once

#include <string>

#include "base/bytes.h"
#include "mount/connection.h"
#include "mount/dispatch.h"
#include "mount/door.h"
#include "mount/session.h"
#include "os/thread.h"

namespace nacre::mount {

// Memory that starts on a page, for data that moves by pages.
class PageBuffer {
 public:
  explicit PageBuffer(size_t size_bytes);
  ~PageBuffer();
  PageBuffer(const PageBuffer&) = delete;
  PageBuffer& operator=(const PageBuffer&) = delete;
  MutableBytes bytes() const { return {data_, size_bytes_}; }

 private:
  std::byte* data_;
  size_t size_bytes_;
};

class Worker {
 public:
  // Both outlive the worker, and `connection` the notifier too: it may carry deferred answers.
  Worker(Session& session, Door& door, Connection& shared, Connection& own);

  void start(const std::string& name);
  // Returns when the mount is gone.
  void join() { thread_.join(); }
  const RequestCounts& counts() const { return counts_; }

 private:
  void run();

  Session& session_;
  Door& door_;
  Connection& shared_;
  Connection& own_;
  PageBuffer request_;
  PageBuffer reply_;
  RequestCounts counts_;
  os::Thread thread_;
};

}  // namespace nacre::mount
