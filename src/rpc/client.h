// Calls to one server, over one connection that is made when it is needed and made anew when it
// broke. Any number of calls are under way at a time. Any thread may call everything; callbacks
// come from the client's own thread and must not wait.
//
// A call either gets its answer, or an error: kUnavailable when surely nothing was done, kTimeout
// when the connection broke or went silent before the answer came and nobody knows, or what the
// server said (kOverloaded among them). The client retries nothing: whoever calls knows what may be
// done twice.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "os/clock.h"
#include "os/mutex.h"
#include "os/tcp.h"
#include "os/thread.h"
#include "rpc/frame_stream.h"
#include "rpc/handshake.h"
#include "rpc/message.h"

namespace nacre::rpc {

struct ClientOptions {
  int64_t connect_limit_ns = 3'000'000'000;
  int64_t ping_after_ns = 2'000'000'000;      // of silence while calls are under way
  int64_t silence_limit_ns = 10'000'000'000;  // then the connection is given up
  int64_t retry_after_ns = 500'000'000;  // after a connection that failed; until then calls fail
};

class Client {
 public:
  using Callback = std::function<void(Result<Reply>)>;

  Client(os::Clock& clock, os::Address address, Security security, ClientOptions options = {});
  // Calls under way end with kCancelled. Waits for no server that does not answer, but for one
  // whose machine does not, until the limit of a connection is over.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const os::Address& address() const { return address_; }

  // Sends the request and returns its number; `done` is called once, perhaps before this returns,
  // unless cancel() came first. Never waits for the server.
  uint64_t start(Request request, Callback done);
  // The answer is no longer wanted: `done` will not be called, if it is not being called now.
  void cancel(uint64_t call);
  // start(), and waits until the deadline of the request, then cancels: kTimeout.
  Result<Reply> call(Request request);
  // Whether the last thing known of the server is good.
  bool is_connected() const { return connected_.load(std::memory_order_relaxed); }

 private:
  struct Pending {
    Callback done;
    bool takes_damaged = false;
    std::optional<Request> unsent;  // while there is no connection
  };
  struct Connection;

  void run();
  Result<std::unique_ptr<Connection>> connect();
  void serve(const std::shared_ptr<Connection>& connection);
  Error read_frames(Connection& connection);
  void retire(Connection* connection);
  void finish(uint64_t call, Result<Reply> result);
  void fail(const Error& error, bool sent_only);
  std::optional<Error> refusal(const Request& request);
  bool send(Outbox& outbox, uint64_t call, Request request);
  bool wait_until_wanted();

  os::Clock& clock_;
  const os::Address address_;
  const Security security_;
  const ClientOptions options_;
  std::atomic<bool> connected_ = false;

  os::Mutex mutex_;  // held while frames are handed to the outbox, never while waiting for the peer
  os::CondVar wanted_;
  bool closing_ GUARDED_BY(mutex_) = false;
  uint64_t last_call_ GUARDED_BY(mutex_) = 0;
  std::unordered_map<uint64_t, Pending> pending_ GUARDED_BY(mutex_);
  std::shared_ptr<Connection> connection_ GUARDED_BY(mutex_);
  std::shared_ptr<os::ByteStream> greeting_ GUARDED_BY(mutex_);   // while it is being agreed on
  Error refusal_ GUARDED_BY(mutex_) = Error(Code::kUnavailable);  // until refused_until_ns_
  int64_t refused_until_ns_ GUARDED_BY(mutex_) = 0;
  os::Thread thread_;
};

}  // namespace nacre::rpc
