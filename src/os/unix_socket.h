// Unix-domain stream sockets, for commands that talk to the process which holds a volume. Blocking.
// Paths of any length work, as long as the last name has at most 80 bytes.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "os/fd.h"

namespace nacre::os {

// One end of a connection. One thread may read while another writes; shutdown() may be called from
// any thread. Closed when destroyed.
class Stream {
 public:
  explicit Stream(Fd fd) : fd_(std::move(fd)) {}

  // Waits for bytes and gives as many as have come; 0 when the peer or shutdown() ended the stream.
  Result<size_t> read_some(MutableBytes into);
  // kUnavailable when the peer is gone (no SIGPIPE).
  Status write_all(ByteView data);
  // Ends both directions and wakes whoever waits in read_some() or write_all().
  void shutdown();
  // Gives the descriptor back. No other call may be under way or follow.
  void close() { fd_.reset(); }
  // The user that connected, or that listens.
  Result<uid_t> peer_uid() const;

 private:
  Fd fd_;
};

// Connects to the listener at `path`. kNotFound when nobody listens there.
Result<std::unique_ptr<Stream>> connect(const std::string& path);

// A socket file that others connect to. The file goes when the listener does.
class Listener {
 public:
  // Replaces a socket that a killed process left behind: the caller holds a lock that keeps out
  // other listeners. kExists if something else than a socket is in the way. At no moment does the
  // file grant more than `mode`.
  static Result<std::unique_ptr<Listener>> listen(const std::string& path, mode_t mode = 0600);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Waits for the next connection; null once close() was called. After an error (out of
  // descriptors, say) it may be called again.
  Result<std::unique_ptr<Stream>> accept();
  // Removes the socket file and ends accept() for good. From any thread; idempotent.
  void close();

 private:
  Listener(Fd socket, Fd directory, std::string name, std::string path);

  const Fd socket_;
  const Fd directory_;
  const std::string name_;  // in the directory
  const std::string path_;
  ino_t inode_ = 0;
  std::atomic<bool> closed_ = false;
};

}  // namespace nacre::os
