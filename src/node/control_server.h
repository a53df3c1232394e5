// Serves requests over the control socket of a volume: a thread per connection, a bounded number of
// them, and only for the user who runs this process and root. All methods may be called from any
// thread but the handler's.
#pragma once

#include <sys/types.h>

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "base/result.h"
#include "node/line_stream.h"
#include "node/protocol.h"
#include "os/mutex.h"
#include "os/thread.h"
#include "os/unix_socket.h"

namespace nacre::node {

class ControlServer {
 public:
  // Runs one request; called from several threads at once.
  using Handler = std::function<Result<Json>(const Request&, Events&)>;
  struct Options {
    uid_t owner = 0;              // whom to serve, besides root
    size_t connections_max = 16;  // one more is told to come back later
  };

  // Errors are those of os::Listener::listen().
  static Result<std::unique_ptr<ControlServer>> start(const std::string& path, Handler handler,
                                                      const Options& options);
  // stop().
  ~ControlServer();

  // Takes no more requests, tells those under way that nobody listens, and waits for them; a client
  // that does not read what it is told is cut off after a while. Idempotent.
  void stop();
  // After stop(): says how closing the volume went to those who wait for it.
  void farewell(const Status& closed);

 private:
  struct Connection;

  ControlServer(std::unique_ptr<os::Listener> listener, Handler handler, const Options& options);
  void accept_loop();
  void admit(std::unique_ptr<os::Stream> stream);
  void serve(Connection& connection);
  bool serve_one(Connection& connection);
  bool begin_request(Connection& connection);
  bool is_stopping();
  void reap();
  bool wait_for_all() REQUIRES(mutex_);

  const std::unique_ptr<os::Listener> listener_;
  const Handler handler_;
  const Options options_;
  os::Mutex mutex_;  // a leaf; guards the list and the states in it, not the streams
  os::CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::list<std::unique_ptr<Connection>> connections_ GUARDED_BY(mutex_);
  os::Thread acceptor_;
};

}  // namespace nacre::node
