// A thread that serves requests until the mount is gone.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "mount/clientele.h"
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

// What the workers of a mount share; outlives them.
struct Workplace {
  Session& session;
  Door& door;
  Connection& shared;  // for whoever waits at the door
};

class Worker {
 public:
  // `own`: a clone of the shared connection that does not wait, or nullptr where there is none; the
  // worker then waits at the shared one without regard to the door. It may carry deferred answers:
  // it outlives the notifier.
  Worker(Workplace place, Connection* own);

  void start(const std::string& name);
  // Returns when the mount is gone.
  void join() { thread_.join(); }
  const RequestCounts& counts() const { return counts_; }

 private:
  // A request and the connection it came by; nullptr when the mount is gone.
  struct Next {
    Connection* from = nullptr;
    ByteView message = {};
    bool at_once = false;  // without waiting
  };
  Next next(MutableBytes buffer);
  Next wait_for_next(MutableBytes buffer);
  Next watch_for_next(MutableBytes buffer);
  Next wait_at_door(MutableBytes buffer);
  void run();

  Workplace place_;
  Connection* own_;
  PageBuffer request_;
  PageBuffer reply_;
  RequestCounts counts_;
  Clientele clients_;
  int at_once_ = 0;         // requests in a row that were there without waiting
  int64_t watch_ns_ = 0;    // how long to watch for the next request before waiting for it
  int64_t typical_ns_ = 0;  // moving average of the time to serve one
  os::Thread thread_;
};

}  // namespace nacre::mount
