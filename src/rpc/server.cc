#include "rpc/server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <unordered_map>

#include "rpc/frame_stream.h"
#include "rpc/worker_pool.h"

namespace nacre::rpc {
namespace {

class IncomingCall final : public ServerCall {
 public:
  bool is_cancelled() const override { return cancelled_.load(std::memory_order_relaxed); }
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  Reply defer() override {
    is_deferred_ = true;
    return make_reply();
  }
  bool is_deferred() const { return is_deferred_; }
  std::function<Reply()> make_reply;

 private:
  std::atomic<bool> cancelled_ = false;
  bool is_deferred_ = false;
};

// One client. Its calls may outlive the reading of it, so it is shared with them.
struct Connection {
  Connection(SecureStream secure, os::Clock& clock, int64_t patience_ns)
      : stream(std::move(secure.stream)),
        peer(std::move(secure.peer)),
        outbox(*stream),
        reader(*stream, clock, patience_ns) {}
  ~Connection() { stream->shutdown(); }

  const std::unique_ptr<os::ByteStream> stream;
  const Peer peer;
  Outbox outbox;
  FrameReader reader;
  os::Mutex mutex;
  os::CondVar changed;
  std::unordered_map<uint64_t, std::shared_ptr<IncomingCall>> calls GUARDED_BY(mutex);
};

// The thread of a connection, from the greeting on.
struct Session {
  std::shared_ptr<Connection> connection;  // once hands are shaken
  bool ended = false;
  os::Thread thread;
};

}  // namespace

struct Server::State {
  State(os::Clock& of, Security secure, Service serves, ServerOptions with)
      : clock(of),
        security(std::move(secure)),
        service(std::move(serves)),
        options(with),
        pool({.threads_max = with.threads_max,
              .queued_max = with.queued_calls_max,
              .queued_bytes_max = with.queued_bytes_max}) {}

  void accept_loop();
  void admit(std::unique_ptr<os::ByteStream> stream);
  void run(Session& session, std::unique_ptr<os::ByteStream> stream);
  Status serve(const std::shared_ptr<Connection>& connection);
  bool take(const std::shared_ptr<Connection>& connection, IncomingFrame incoming);
  void accept_call(const std::shared_ptr<Connection>& connection, IncomingFrame incoming);
  void handle(const std::shared_ptr<Connection>& connection, uint64_t number, IncomingCall& call);
  ServerCall::Reply defer(const std::shared_ptr<Connection>& connection, uint64_t number);
  void answer(Connection& connection, uint64_t number, Result<Answer> result);
  void reap() REQUIRES(mutex);
  void stop();

  os::Clock& clock;
  const Security security;
  const Service service;
  const ServerOptions options;
  std::unique_ptr<os::TcpListener> listener;
  WorkerPool pool;
  std::atomic<uint64_t> calls = 0;
  std::atomic<uint64_t> overloaded = 0;
  std::atomic<uint64_t> refused = 0;
  std::atomic<bool> stopping = false;
  os::Mutex deferred_mutex;  // a leaf
  os::CondVar none_deferred;
  uint64_t deferred GUARDED_BY(deferred_mutex) = 0;  // calls that are answered later
  os::Mutex mutex;                                   // guards the list of sessions
  std::list<std::unique_ptr<Session>> sessions GUARDED_BY(mutex);
  os::Thread acceptor;
};

void Server::State::accept_loop() {
  for (;;) {
    Result<std::unique_ptr<os::ByteStream>> stream = listener->accept();
    if (!stream.ok()) {
      spdlog::warn("{}", stream.error().to_string());
      // Out of descriptors, say: some may be given back soon.
      os::Mutex pause;
      os::CondVar never;
      const os::Lock lock(pause);
      never.wait_for(pause, std::chrono::milliseconds(100));
      continue;
    }
    if (*stream == nullptr) return;
    admit(stream.take());
  }
}

void Server::State::admit(std::unique_ptr<os::ByteStream> stream) {
  const os::Lock lock(mutex);
  reap();
  if (stopping || sessions.size() >= options.connections_max) {
    ++refused;
    return;
  }
  sessions.push_back(std::make_unique<Session>());
  Session& session = *sessions.back();
  session.thread = os::Thread("rpc-server", [this, &session, raw = stream.release()] {
    run(session, std::unique_ptr<os::ByteStream>(raw));
  });
}

void Server::State::reap() {
  sessions.remove_if([](const std::unique_ptr<Session>& session) { return session->ended; });
}

void Server::State::run(Session& session, std::unique_ptr<os::ByteStream> stream) {
  const std::string from = stream->peer();
  Status ended = Status();
  Result<SecureStream> secure = greet_client(std::move(stream), security);
  if (secure.ok()) {
    secure->stream->set_read_timeout(options.silence_limit_ns);
    const auto connection =
        std::make_shared<Connection>(secure.take(), clock, options.silence_limit_ns);
    {
      const os::Lock lock(mutex);
      session.connection = connection;
      if (stopping) connection->stream->shutdown();
    }
    ended = serve(connection);
    connection->outbox.close();
  } else {
    ++refused;
    ended = secure.error();
  }
  if (!ended.ok() && ended.code() != Code::kUnavailable) {
    spdlog::warn("connection from {} ended: {}", from, ended.error().to_string());
  }
  const os::Lock lock(mutex);
  session.connection = nullptr;
  session.ended = true;
}

// Until the client goes. Its calls that run are told.
Status Server::State::serve(const std::shared_ptr<Connection>& connection) {
  Status ended;
  for (;;) {
    Result<IncomingFrame> incoming = connection->reader.next();
    if (!incoming.ok()) {
      ended = incoming.error();
      break;
    }
    if (!take(connection, incoming.take())) {
      ended = Error(Code::kCorrupt, "it sent what only servers send");
      break;
    }
  }
  const os::Lock lock(connection->mutex);
  for (const auto& [number, call] : connection->calls) call->cancel();
  return ended;
}

bool Server::State::take(const std::shared_ptr<Connection>& connection, IncomingFrame incoming) {
  switch (incoming.frame.kind) {
    case wire::FrameKind::kRequest:
      accept_call(connection, std::move(incoming));
      return true;
    case wire::FrameKind::kCancel: {
      const os::Lock lock(connection->mutex);
      const auto found = connection->calls.find(incoming.frame.call);
      if (found != connection->calls.end()) found->second->cancel();
      return true;
    }
    case wire::FrameKind::kPing:
      connection->outbox.send({.kind = wire::FrameKind::kPong}, {}, {});
      return true;
    default:
      return false;
  }
}

void Server::State::accept_call(const std::shared_ptr<Connection>& connection,
                                IncomingFrame incoming) {
  const uint64_t number = incoming.frame.call;
  const size_t bytes = incoming.payload.size() + incoming.header.size();
  const auto call = std::make_shared<IncomingCall>();
  call->method = incoming.frame.method;
  call->header = std::move(incoming.header);
  call->payload = std::move(incoming.payload);
  call->payload_xxh64 = incoming.frame.payload_xxh64;
  call->peer = connection->peer;
  call->received_bytes = bytes;
  call->arrived_ns = clock.monotonic_ns();
  if (incoming.frame.time_left_ms != 0) {
    call->deadline_ns = call->arrived_ns + int64_t{incoming.frame.time_left_ms} * 1'000'000;
  }
  ++calls;
  {
    const os::Lock lock(connection->mutex);
    while (connection->calls.size() >= options.calls_per_connection_max) {
      connection->changed.wait(connection->mutex);
    }
    if (!connection->calls.emplace(number, call).second) return;  // a number used twice
  }
  if (!incoming.is_intact) {
    spdlog::warn("a call from {} was damaged on its way", connection->peer.address);
    return answer(*connection, number,
                  Error(Code::kUnavailable, "the call was damaged on its way"));
  }
  std::function<void()> work = [this, connection, number, call] {
    handle(connection, number, *call);
  };
  if (pool.submit(work, bytes)) return;
  ++overloaded;
  answer(*connection, number, Error(Code::kOverloaded, "the node has too much to do"));
}

void Server::State::handle(const std::shared_ptr<Connection>& connection, uint64_t number,
                           IncomingCall& call) {
  if (call.is_cancelled()) return answer(*connection, number, Error(Code::kCancelled));
  if (call.deadline_ns != 0 && clock.monotonic_ns() >= call.deadline_ns) {
    return answer(*connection, number, Error(Code::kTimeout, "the node came to it too late"));
  }
  if (call.peer.role == Role::kGuest && !service.guests_may(call.method)) {
    return answer(*connection, number,
                  Error(Code::kAccess,
                        "without a certificate of the cluster nothing but joining "
                        "is allowed"));
  }
  call.make_reply = [&] { return defer(connection, number); };
  Result<Answer> result = service.handle(call);
  if (!call.is_deferred()) answer(*connection, number, std::move(result));
}

ServerCall::Reply Server::State::defer(const std::shared_ptr<Connection>& connection,
                                       uint64_t number) {
  const os::Lock lock(deferred_mutex);
  ++deferred;
  return [this, connection, number](Result<Answer> result) {
    answer(*connection, number, std::move(result));
    const os::Lock done(deferred_mutex);
    if (--deferred == 0) none_deferred.notify_all();
  };
}

void Server::State::answer(Connection& connection, uint64_t number, Result<Answer> result) {
  wire::Frame frame{.kind = wire::FrameKind::kResponse, .call = number};
  std::shared_ptr<IncomingCall> call;
  {
    const os::Lock lock(connection.mutex);
    const auto found = connection.calls.find(number);
    if (found == connection.calls.end()) return;
    call = found->second;
  }
  if (service.observe) service.observe(*call, result);
  const bool wanted = !call->is_cancelled();
  if (wanted && result.ok()) {
    frame.payload_xxh64 = result->payload_xxh64;
    connection.outbox.send(frame, std::move(result->header), std::move(result->payload));
  } else if (wanted) {
    frame.failed = true;
    frame.code = result.code();
    std::string words = result.error().context();
    if (words.size() > wire::kFrameHeaderBytesMax) words.resize(wire::kFrameHeaderBytesMax);
    connection.outbox.send(frame, std::move(words), {});
  }
  const os::Lock lock(connection.mutex);
  connection.calls.erase(number);
  connection.changed.notify_all();
}

void Server::State::stop() {
  if (stopping.exchange(true)) return;
  listener->close();
  acceptor.join();
  std::vector<std::shared_ptr<Connection>> open;
  {
    const os::Lock lock(mutex);
    for (const auto& session : sessions) {
      if (session->connection != nullptr) open.push_back(session->connection);
    }
  }
  for (const auto& each : open) each->outbox.send({.kind = wire::FrameKind::kGoAway}, {}, {});
  pool.stop();
  {
    const os::Lock lock(deferred_mutex);
    while (deferred != 0) none_deferred.wait(deferred_mutex);
  }
  const int64_t until_ns = clock.monotonic_ns() + options.farewell_limit_ns;
  for (const auto& each : open) {
    each->outbox.drain(std::max<int64_t>(1, until_ns - clock.monotonic_ns()));
    each->stream->shutdown();
  }
  open.clear();
  std::list<std::unique_ptr<Session>> ending;
  {
    const os::Lock lock(mutex);
    for (const auto& session : sessions) {
      if (session->connection != nullptr) session->connection->stream->shutdown();
    }
    ending.swap(sessions);
  }
  ending.clear();  // waits for the threads
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(os::Clock& clock, const os::Address& address,
                                              Security security, Service service,
                                              ServerOptions options) {
  auto state = std::make_unique<State>(clock, std::move(security), std::move(service), options);
  state->listener = TRY(os::TcpListener::listen(address));
  state->acceptor = os::Thread("rpc-accept", [raw = state.get()] { raw->accept_loop(); });
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

uint16_t Server::port() const { return state_->listener->port(); }

ServerCounters Server::counters() {
  const os::Lock lock(state_->mutex);
  return {.connections = state_->sessions.size(),
          .calls = state_->calls,
          .overloaded = state_->overloaded,
          .refused_connections = state_->refused};
}

void Server::stop() { state_->stop(); }

}  // namespace nacre::rpc
