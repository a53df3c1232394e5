// A client of etcd: rows, conditional transactions, leases and watches, as the rest of Nacre sees
// them. Clients are safe from any thread; calls block, each up to its deadline.
//
// Errors, for all calls:
//   kUnavailable  no endpoint that could do it was reached: nothing was done
//   kTimeout      no answer, or the connection broke under way: a write may or may not have been
//   done kOverloaded   etcd refused for load: nothing was done kAccess       etcd's certificate, or
//   ours, was not accepted kTooBig       over etcd's limits for one request kNoSpace      etcd's
//   database is full: nothing was done
// Reads, and writes that were surely not done, are tried at every endpoint, again and again, until
// the deadline. A write with an unknown outcome is never repeated: the caller looks what became of
// it. Messages name the endpoint, and what to do.
//
// etcd silently drops a write that a follower sends to a leader which has just died, although the
// next one is elected within 1 to 2 seconds: such a write lasts its whole deadline. Whoever must be
// back soon takes a client with a deadline not much longer than that.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "etcd/channel.h"
#include "etcd/types.h"

namespace nacre::etcd {

class Admin;

struct ClientOptions {
  std::vector<std::string> endpoints;  // HOST:PORT each, at least one
  std::optional<TlsFiles> tls = {};
  std::chrono::nanoseconds deadline = std::chrono::seconds(5);
};

struct PageOptions {
  size_t rows_max = 256;  // 0: all
  Revision at = {};       // 0: the present
  // 0: the client's own.
  std::chrono::nanoseconds deadline = {};
};

struct GrantedLease {
  LeaseId id;
  std::chrono::seconds ttl;  // etcd may grant more than was asked
};

struct LeaseStatus {
  std::chrono::seconds granted;
  std::chrono::seconds left;
  std::vector<std::string> keys;
};

// What comes out of a watch, in order.
struct WatchReply {
  enum class Kind {
    kCreated,    // the watch is set up
    kEvents,     // `events`
    kProgress,   // all events up to `revision` have been given
    kAlive,      // nothing new; the answer to a ping
    kCompacted,  // the events from there on are no longer kept; the watch is over
    kCancelled,  // the watch is over, see `reason`
  };
  Kind kind = Kind::kAlive;
  Revision revision = {};
  std::vector<Event> events = {};  // by revision; several may share one
  bool unfinished = false;         // the next reply may go on with the last revision of this one
  std::string reason = {};
};

// One watch at one endpoint. One thread uses it; cancel() may come from any.
class WatchStream {
 public:
  virtual ~WatchStream() = default;
  // The next reply; none if none came within the limit. After an error the stream is dead.
  virtual Result<std::optional<WatchReply>> next(std::chrono::nanoseconds limit) = 0;
  // Asks for a sign of life: kAlive follows unless the endpoint is gone.
  virtual void ping() = 0;
  // Ends the stream, and a next() that waits.
  virtual void cancel() = 0;
  // The client's next call or watch shall begin at another endpoint.
  virtual void avoid() = 0;
};

class Client {
 public:
  // Does not wait for etcd. kInvalid without endpoints, kNotFound without the files for TLS.
  static Result<std::unique_ptr<Client>> open(const ClientOptions& options);
  virtual ~Client() = default;

  // Up to rows_max rows from the range's begin on, as of the latest revision or the given one.
  // kBelowFloor when that was compacted.
  virtual Result<Page> page(const KeyRange& range, const PageOptions& options) = 0;
  virtual Result<TxnResult> transact(const Txn& txn) = 0;
  // Forgets what was before `revision`: rows as of then, and events. kBelowFloor if that was done
  // already, kOutOfRange for revisions to come.
  virtual Status compact(Revision revision) = 0;

  virtual Result<GrantedLease> grant(std::chrono::seconds ttl) = 0;
  // kNotFound when the lease is no more.
  virtual Result<GrantedLease> keep_alive(LeaseId id, std::chrono::nanoseconds limit) = 0;
  virtual Status revoke(LeaseId id, std::chrono::nanoseconds limit) = 0;
  virtual Result<LeaseStatus> time_to_live(LeaseId id) = 0;

  // Events from revision `from` on, at the endpoint that last was good. Whether that works is seen
  // by reading.
  virtual std::unique_ptr<WatchStream> watch(const KeyRange& range, Revision from) = 0;

  // Others from now on; calls under way finish where they are. CHECKs that there is one.
  virtual void set_endpoints(std::vector<std::string> endpoints) = 0;
  virtual std::vector<std::string> endpoints() const = 0;
  // The members behind it. Lives as long as the client.
  virtual Admin& admin() = 0;

  // All rows of the range, as of one revision, in pages. kBelowFloor if that revision is compacted
  // meanwhile.
  Result<Page> range(const KeyRange& range);
  Result<std::optional<Row>> get(const std::string& key);
  // The revision of the change.
  Result<Revision> put(std::string key, std::string value, LeaseId lease = {});
  // How many rows there were.
  Result<uint64_t> erase(const KeyRange& range);
};

}  // namespace nacre::etcd
