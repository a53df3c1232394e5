// Serves calls at one address: a thread per connection that reads, and a pool that runs handlers.
//
// What is bounded: connections, calls waiting for a thread (more are refused with kOverloaded),
// their bytes, and calls of one connection (a client that has more under way is not read from until
// it took some answers). A call whose client gave up or whose time has passed is dropped before it
// starts.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "os/clock.h"
#include "os/mutex.h"
#include "os/tcp.h"
#include "os/thread.h"
#include "rpc/handshake.h"
#include "rpc/message.h"

namespace nacre::rpc {

// A request that came. For the thread that handles it.
class ServerCall {
 public:
  virtual ~ServerCall() = default;
  uint16_t method = 0;
  std::string header = {};
  Buffer payload = {};
  uint64_t payload_xxh64 = 0;  // checked; 0 for an empty payload
  Peer peer = {};
  size_t received_bytes = 0;  // header and payload, whatever the handler does with them
  int64_t arrived_ns = 0;     // by the monotonic clock
  int64_t deadline_ns = 0;    // the same; 0: none
  // The client does not wait any more: what is done is done for nobody.
  virtual bool is_cancelled() const = 0;
  // The handler's result does not count: what this gives is to be called once instead, by any
  // thread, with the call's answer. A server that stops waits for it.
  using Reply = std::function<void(Result<Answer>)>;
  virtual Reply defer() = 0;
};

struct ServerOptions {
  size_t connections_max = 1024;
  size_t threads_max = 64;
  size_t queued_calls_max = 1024;
  size_t queued_bytes_max = 256 << 20;
  size_t calls_per_connection_max = 256;
  int64_t silence_limit_ns = 30'000'000'000;
  int64_t farewell_limit_ns = 5'000'000'000;  // for answers to go out when it stops
};

struct ServerCounters {
  uint64_t connections = 0;  // now
  uint64_t calls = 0;        // since it started
  uint64_t overloaded = 0;
  uint64_t refused_connections = 0;  // garbage, wrong certificates, too many
};

class Server {
 public:
  // Called from several threads at once, and only for peers that are no guests unless
  // `guests_may` says so for the method.
  using Handler = std::function<Result<Answer>(ServerCall&)>;
  struct Service {
    Handler handle;
    std::function<bool(uint16_t method)> guests_may;
    // Told of every answer before it is sent, also of those that no handler gave. From several
    // threads at once; must not wait.
    std::function<void(const ServerCall&, const Result<Answer>&)> observe = {};
  };

  // Errors are those of TcpListener::listen().
  static Result<std::unique_ptr<Server>> start(os::Clock& clock, const os::Address& address,
                                               Security security, Service service,
                                               ServerOptions options = {});
  ~Server();  // stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  ServerCounters counters();
  // Takes no new connections and calls, lets those that run finish and their answers go out, and
  // ends all threads. Idempotent; not from a handler.
  void stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

}  // namespace nacre::rpc
