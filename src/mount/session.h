// What all requests of one mount share, and one request on its way through a handler.
#pragma once

#include <atomic>
#include <span>
#include <type_traits>

#include "base/bytes.h"
#include "base/result.h"
#include "fs/tree.h"
#include "mount/listers.h"
#include "mount/negotiate.h"
#include "mount/notifier.h"
#include "mount/port.h"
#include "mount/reply.h"
#include "mount/request.h"
#include "mount/uncached.h"

namespace nacre::mount {

// Used by all workers at once. The tree and the notifier outlive it.
struct Session {
  fs::Tree& tree;
  Notifier& notifier;
  const Features features;
  const bool cache_missing_names;
  UncachedInodes uncached;
  Listers listers;
  std::atomic<bool> asks_before_writes = false;  // scarce.h

  // Whether the kernel must ask before it takes a write into its cache: everywhere, for want of
  // room; to a file of the past, of which it does not know that it cannot be written.
  bool is_scarce() const { return features.write_back && tree.is_scarce(); }
  bool asks_before_writing(InodeId ino) const {
    return is_scarce() || (features.write_back && is_past(ino));
  }
  static bool is_past(InodeId ino) { return (ino.value & kViewBit) != 0; }
};

// One request being answered, on the worker's stack. Exactly one of done(), fail(), finish() and
// send() is called, or none by operations that have no answer and by those that defer it.
class Turn {
 public:
  // `buffer` is the worker's, for the length of the turn.
  Turn(Session& session, const Request& request, Port& port, MutableBytes buffer)
      : session_(session), request_(request), port_(port), buffer_(buffer) {}

  Session& session() { return session_; }
  fs::Tree& tree() { return session_.tree; }
  InodeId node() const { return request_.node; }
  uint64_t unique() const { return request_.unique; }
  fs::Caller caller(uint32_t umask) const;
  // Outlives the turn: deferred answers go here.
  Port& port() { return port_; }
  MutableBytes buffer() { return buffer_; }

  void done() { port_.reply(request_.unique, 0, {}); }
  void fail(int error_number) { port_.reply(request_.unique, error_number, {}); }
  void fail(const Error& error);
  void finish(const Status& status);
  void send_bytes(std::span<const ByteView> parts) { port_.reply(request_.unique, 0, parts); }
  void send_bytes(ByteView bytes) { send_bytes(std::span(&bytes, 1)); }
  template <class T>
  void send(const T& out) {
    static_assert(std::has_unique_object_representations_v<T>, "padding would leak memory");
    send_bytes(std::as_bytes(std::span(&out, 1)));
  }

  // The answer to what makes or finds an entry, with its reference counted.
  void send_entry(const Result<fs::Entry>& entry);
  void send_attr(const Result<meta::Attr>& attr);

  // What the kernel may keep of this entry, these attributes, or the entries of this directory.
  Keep keep_entry(const fs::Entry& entry);
  Keep keep_attr(const meta::Attr& attr) const;
  Keep keep_entries_of(InodeId directory) const;

 private:
  Session& session_;
  const Request& request_;
  Port& port_;
  MutableBytes buffer_;
};

}  // namespace nacre::mount
