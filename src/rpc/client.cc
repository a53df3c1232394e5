#include "rpc/client.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace nacre::rpc {
namespace {

// A stream with two owners: whoever talks over it, and whoever may end that.
class SharedStream final : public os::ByteStream {
 public:
  explicit SharedStream(std::shared_ptr<os::ByteStream> stream) : stream_(std::move(stream)) {}

  Result<size_t> read_some(MutableBytes into) override { return stream_->read_some(into); }
  Status write_all(std::span<const ByteView> parts) override { return stream_->write_all(parts); }
  bool can_write() override { return stream_->can_write(); }
  void set_read_timeout(int64_t ns) override { stream_->set_read_timeout(ns); }
  void shutdown() override { stream_->shutdown(); }
  const std::string& peer() const override { return stream_->peer(); }

 private:
  const std::shared_ptr<os::ByteStream> stream_;
};

}  // namespace

struct Client::Connection {
  Connection(std::unique_ptr<os::ByteStream> opened, os::Clock& clock, int64_t patience_ns)
      : stream(std::move(opened)), outbox(*stream), reader(*stream, clock, patience_ns) {}
  ~Connection() { stream->shutdown(); }

  const std::unique_ptr<os::ByteStream> stream;
  Outbox outbox;
  FrameReader reader;
};

Client::Client(os::Clock& clock, os::Address address, Security security, ClientOptions options)
    : clock_(clock),
      address_(std::move(address)),
      security_(std::move(security)),
      options_(options),
      thread_("rpc-client", [this] { run(); }) {}

Client::~Client() {
  {
    const os::Lock lock(mutex_);
    closing_ = true;
    wanted_.notify_all();
    if (connection_ != nullptr) connection_->stream->shutdown();
    if (greeting_ != nullptr) greeting_->shutdown();
  }
  thread_.join();
  fail(Error(Code::kCancelled, "the client is closed"), false);
}

uint64_t Client::start(Request request, Callback done) {
  if (const std::optional<Error> refused = refusal(request)) {
    done(*refused);
    return 0;
  }
  std::shared_ptr<Connection> connection;
  uint64_t call = 0;
  {
    const os::Lock lock(mutex_);
    call = ++last_call_;
    Pending& pending = pending_[call];
    pending.done = std::move(done);
    pending.takes_damaged = request.takes_damaged;
    connection = connection_;
    if (connection == nullptr) {
      pending.unsent = std::move(request);
      wanted_.notify_all();
      return call;
    }
  }
  if (!send(connection->outbox, call, std::move(request))) {
    finish(call, Error(Code::kUnavailable, "the connection to " + address_.to_string() +
                                               " broke before the request was sent"));
  }
  return call;
}

// Why the call fails at once: connecting failed just now.
std::optional<Error> Client::refusal(const Request& request) {
  const os::Lock lock(mutex_);
  const bool refused =
      connection_ == nullptr && !request.insist && clock_.monotonic_ns() < refused_until_ns_;
  return refused ? std::optional(refusal_) : std::nullopt;
}

bool Client::send(Outbox& outbox, uint64_t call, Request request) {
  wire::Frame frame{.kind = wire::FrameKind::kRequest,
                    .method = request.method,
                    .call = call,
                    .payload_xxh64 = request.payload_xxh64};
  if (request.deadline_ns != 0) {
    const int64_t left_ms = (request.deadline_ns - clock_.monotonic_ns()) / 1'000'000;
    frame.time_left_ms = static_cast<uint32_t>(std::clamp<int64_t>(left_ms, 1, UINT32_MAX));
  }
  return outbox.send(frame, std::move(request.header), std::move(request.payload));
}

void Client::cancel(uint64_t call) {
  std::shared_ptr<Connection> connection;
  {
    const os::Lock lock(mutex_);
    const auto found = pending_.find(call);
    if (found == pending_.end()) return;
    if (!found->second.unsent) connection = connection_;
    pending_.erase(found);
  }
  if (connection != nullptr) {
    connection->outbox.send({.kind = wire::FrameKind::kCancel, .call = call}, {}, {});
  }
}

Result<Reply> Client::call(Request request) {
  struct Waiting {
    os::Mutex mutex;
    os::CondVar changed;
    std::optional<Result<Reply>> result GUARDED_BY(mutex);
  };
  const auto waiting = std::make_shared<Waiting>();
  const int64_t deadline_ns = request.deadline_ns;
  const uint64_t call = start(std::move(request), [waiting](Result<Reply> result) {
    const os::Lock lock(waiting->mutex);
    waiting->result = std::move(result);
    waiting->changed.notify_all();
  });
  {
    const os::Lock lock(waiting->mutex);
    while (!waiting->result) {
      if (deadline_ns == 0) {
        waiting->changed.wait(waiting->mutex);
        continue;
      }
      const int64_t left_ns = deadline_ns - clock_.monotonic_ns();
      if (left_ns <= 0) break;
      waiting->changed.wait_for(waiting->mutex, std::chrono::nanoseconds(left_ns));
    }
    if (waiting->result) return std::move(*waiting->result);
  }
  cancel(call);
  return Error(Code::kTimeout, address_.to_string() + " did not answer in time");
}

void Client::run() {
  while (wait_until_wanted()) {
    Result<std::unique_ptr<Connection>> made = connect();
    if (!made.ok()) {
      {
        const os::Lock lock(mutex_);
        refusal_ = made.error();
        refused_until_ns_ = clock_.monotonic_ns() + options_.retry_after_ns;
      }
      fail(made.error(), false);
      continue;
    }
    serve(std::shared_ptr<Connection>(made.take()));
  }
}

// Until somebody wants a connection; false when the client closes.
bool Client::wait_until_wanted() {
  const os::Lock lock(mutex_);
  while (!closing_ && pending_.empty()) wanted_.wait(mutex_);
  return !closing_;
}

Result<std::unique_ptr<Client::Connection>> Client::connect() {
  const std::shared_ptr<os::ByteStream> stream =
      TRY(os::connect_tcp(address_, options_.connect_limit_ns));
  {
    const os::Lock lock(mutex_);
    if (closing_) return Error(Code::kCancelled, "the client is closed");
    greeting_ = stream;
  }
  Result<SecureStream> greeted = greet_server(std::make_unique<SharedStream>(stream), security_);
  {
    const os::Lock lock(mutex_);
    greeting_ = nullptr;
  }
  SecureStream secure = TRY(std::move(greeted));
  secure.stream->set_read_timeout(options_.ping_after_ns);
  return std::make_unique<Connection>(std::move(secure.stream), clock_, options_.silence_limit_ns);
}

void Client::serve(const std::shared_ptr<Connection>& connection) {
  std::vector<std::pair<uint64_t, Request>> waiting;
  {
    const os::Lock lock(mutex_);
    if (closing_) return;
    connection_ = connection;
    for (auto& [call, pending] : pending_) {
      if (!pending.unsent) continue;
      waiting.emplace_back(call, std::move(*pending.unsent));
      pending.unsent.reset();
    }
  }
  for (auto& [call, request] : waiting) send(connection->outbox, call, std::move(request));
  connected_ = true;
  const Error ended = read_frames(*connection);
  connected_ = false;
  retire(connection.get());
  connection->outbox.close();
  // Certificates that do not agree show only when the first answer is awaited.
  const Code code = ended.code() == Code::kAccess ? Code::kAccess : Code::kTimeout;
  fail(Error(code, "the connection to " + address_.to_string() + " ended: " + ended.context()),
       true);
}

// From now on calls wait for another connection.
void Client::retire(Connection* connection) {
  const os::Lock lock(mutex_);
  if (connection_.get() == connection) connection_ = nullptr;
}

Error Client::read_frames(Connection& connection) {
  int64_t heard_ns = clock_.monotonic_ns();
  for (;;) {
    Result<IncomingFrame> next = connection.reader.next();
    if (!next.ok() && next.code() == Code::kTimeout) {
      if (clock_.monotonic_ns() - heard_ns > options_.silence_limit_ns) {
        return Error(Code::kTimeout, "nothing was heard of it for long");
      }
      connection.outbox.send({.kind = wire::FrameKind::kPing}, {}, {});
      continue;
    }
    if (!next.ok()) return next.error();
    heard_ns = clock_.monotonic_ns();
    IncomingFrame& incoming = *next;
    switch (incoming.frame.kind) {
      case wire::FrameKind::kResponse:
        if (incoming.frame.failed) {
          finish(incoming.frame.call, Error(incoming.frame.code, std::move(incoming.header)));
        } else {
          finish(incoming.frame.call, Reply{std::move(incoming.header), std::move(incoming.payload),
                                            incoming.frame.payload_xxh64, incoming.is_intact});
        }
        break;
      case wire::FrameKind::kPong:
        break;
      case wire::FrameKind::kGoAway:
        retire(&connection);
        break;
      default:
        return Error(Code::kCorrupt, "it sent what only clients send");
    }
  }
}

void Client::finish(uint64_t call, Result<Reply> result) {
  Callback done;
  {
    const os::Lock lock(mutex_);
    const auto found = pending_.find(call);
    if (found == pending_.end()) return;
    done = std::move(found->second.done);
    const bool damaged = result.ok() && !result->is_intact && !found->second.takes_damaged;
    if (damaged) {
      result = Error(Code::kTimeout,
                     "the answer of " + address_.to_string() + " was damaged on its way");
    }
    pending_.erase(found);
  }
  done(std::move(result));
}

void Client::fail(const Error& error, bool sent_only) {
  std::vector<Callback> failed;
  {
    const os::Lock lock(mutex_);
    for (auto each = pending_.begin(); each != pending_.end();) {
      if (sent_only && each->second.unsent) {
        ++each;
        continue;
      }
      failed.push_back(std::move(each->second.done));
      each = pending_.erase(each);
    }
  }
  for (const Callback& done : failed) done(error);
}

}  // namespace nacre::rpc
