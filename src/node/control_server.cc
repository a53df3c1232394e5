#include "node/control_server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace nacre::node {

struct ControlServer::Connection {
  explicit Connection(std::unique_ptr<os::Stream> stream) : lines(std::move(stream)) {}

  LineStream lines;
  bool working = false;       // a request is under way; guarded by the server's mutex, as the rest
  bool awaits_close = false;  // farewell() has to answer it
  bool ended = false;         // its thread is done
  os::Thread thread;
};

namespace {

constexpr std::chrono::seconds kPauseAfterFailure{1};
constexpr std::chrono::seconds kPatience{5};  // with a client that does not read

// What a command says goes to the client as it is said.
class SocketEvents final : public Events {
 public:
  SocketEvents(LineStream& lines, std::function<bool()> stopping)
      : lines_(lines), stopping_(std::move(stopping)) {}

  bool progress(const Progress& progress) override { return send(progress_line(progress)); }
  bool item(Json item) override { return send(item_line(std::move(item))); }

 private:
  bool send(const Json& line) {
    if (!stopping_() && !gone_) gone_ = !lines_.write(to_line(line)).ok();
    return !gone_ && !stopping_();
  }

  LineStream& lines_;
  const std::function<bool()> stopping_;
  bool gone_ = false;
};

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::start(const std::string& path,
                                                            Handler handler,
                                                            const Options& options) {
  auto listener = TRY(os::Listener::listen(path));
  std::unique_ptr<ControlServer> server(
      new ControlServer(std::move(listener), std::move(handler), options));
  server->acceptor_ = os::Thread("nacre-accept", [raw = server.get()] { raw->accept_loop(); });
  return server;
}

ControlServer::ControlServer(std::unique_ptr<os::Listener> listener, Handler handler,
                             const Options& options)
    : listener_(std::move(listener)), handler_(std::move(handler)), options_(options) {}

ControlServer::~ControlServer() { stop(); }

void ControlServer::accept_loop() {
  while (true) {
    auto stream = listener_->accept();
    if (!stream.ok()) {
      spdlog::warn("control socket: {}", stream.error().to_string());
      const os::Lock lock(mutex_);
      if (!stopping_) changed_.wait_for(mutex_, kPauseAfterFailure);
      continue;
    }
    if (*stream == nullptr) return;
    admit(stream.take());
  }
}

void ControlServer::admit(std::unique_ptr<os::Stream> stream) {
  reap();
  auto connection = std::make_unique<Connection>(std::move(stream));
  const auto uid = connection->lines.stream().peer_uid();
  Status refused;
  if (!uid.ok() || (*uid != 0 && *uid != options_.owner)) {
    refused = Error(Code::kAccess, "only the user who mounted the volume and root may command it");
  }
  const os::Lock lock(mutex_);
  if (stopping_) return;
  if (refused.ok() && connections_.size() >= options_.connections_max) {
    refused = Error(Code::kBusy, "too many commands at once; try again");
  }
  if (!refused.ok()) {
    // Fits into the socket's buffer, so nobody waits for the stranger to read it.
    (void)connection->lines.write(to_line(answer_line(refused.error()))).ok();
    return;
  }
  Connection& admitted = *connections_.emplace_back(std::move(connection));
  admitted.thread = os::Thread("nacre-control", [this, &admitted] { serve(admitted); });
}

void ControlServer::serve(Connection& connection) {
  while (serve_one(connection)) continue;
  const os::Lock lock(mutex_);
  connection.ended = true;
  changed_.notify_all();
  if (!connection.awaits_close) connection.lines.stream().shutdown();
}

// False when no further request is to be expected.
bool ControlServer::serve_one(Connection& connection) {
  auto line = connection.lines.read(kMaxRequestBytes);
  if (line.ok() && !line->has_value()) return false;
  if (!begin_request(connection)) return false;
  Result<Json> answer = Json();
  bool more = line.ok();
  if (!line.ok()) {
    answer = line.error();
  } else if (const auto request = decode_request(**line); !request.ok()) {
    answer = request.error();
  } else {
    SocketEvents events(connection.lines, [this] { return is_stopping(); });
    answer = handler_(*request, events);
  }
  const bool closing = answer.ok() && is_closing(*answer);
  more = connection.lines.write(to_line(answer_line(answer))).ok() && more && !closing;
  const os::Lock lock(mutex_);
  connection.working = false;
  connection.awaits_close = closing;
  return more && !stopping_;
}

bool ControlServer::begin_request(Connection& connection) {
  const os::Lock lock(mutex_);
  connection.working = !stopping_;
  return connection.working;
}

bool ControlServer::is_stopping() {
  const os::Lock lock(mutex_);
  return stopping_;
}

// Takes away the connections whose threads are done.
void ControlServer::reap() {
  std::list<std::unique_ptr<Connection>> ended;
  {
    const os::Lock lock(mutex_);
    for (auto at = connections_.begin(); at != connections_.end();) {
      const auto next = std::next(at);
      if ((*at)->ended && !(*at)->awaits_close) ended.splice(ended.end(), connections_, at);
      at = next;
    }
  }
}

bool ControlServer::wait_for_all() {
  const auto ended = [](const auto& connection) { return connection->ended; };
  while (!std::ranges::all_of(connections_, ended)) {
    if (!changed_.wait_for(mutex_, kPatience)) return false;
  }
  return true;
}

void ControlServer::stop() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    for (const auto& connection : connections_) {
      if (!connection->working && !connection->ended) connection->lines.stream().shutdown();
    }
  }
  listener_->close();
  acceptor_.join();
  // Nobody adds connections any more, and only farewell() and the destructor touch them.
  std::vector<Connection*> all;
  {
    const os::Lock lock(mutex_);
    const bool out_of_patience = !wait_for_all();
    for (const auto& connection : connections_) {
      if (out_of_patience && !connection->ended) connection->lines.stream().shutdown();
      all.push_back(connection.get());
    }
  }
  for (Connection* connection : all) connection->thread.join();
}

void ControlServer::farewell(const Status& closed) {
  const Result<Json> answer =
      closed.ok() ? Result<Json>(Json{{"closed", true}}) : Result<Json>(closed.error());
  const os::Lock lock(mutex_);
  for (const auto& connection : connections_) {
    if (!connection->awaits_close) continue;
    (void)connection->lines.write(to_line(answer_line(answer))).ok();
    connection->lines.stream().shutdown();
    connection->awaits_close = false;
  }
}

}  // namespace nacre::node
