// For the tests of this folder: a server on loopback with a few methods, and streams that spoil
// what passes.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "os/mutex.h"
#include "rpc/client.h"
#include "rpc/server.h"

namespace nacre::rpc {

enum Method : uint16_t {
  kEcho = 1,  // gives back what it was given
  kFail = 2,  // kNoSpace, with the header as its words
  kWait = 3,  // until open_gate() or until it is cancelled
  kJoin = 4,  // what guests may call
  kLie = 5,   // as kEcho, under a checksum that is not the payload's
};

class Rig {
 public:
  explicit Rig(Security security = {}, ServerOptions options = {}, uint16_t port = 0)
      : security_(std::move(security)), options_(options) {
    restart(port);
  }
  ~Rig() { open_gate(); }

  void stop() { server_ = nullptr; }
  void restart(uint16_t port) {
    const Server::Service service{
        .handle = [this](ServerCall& call) { return handle(call); },
        .guests_may = [](uint16_t method) { return method == kJoin; },
        .observe = [this](const ServerCall& call,
                          const Result<Answer>& answer) { observe(call, answer); }};
    auto started =
        Server::start(os::real_clock(), {"127.0.0.1", port}, security_, service, options_);
    ASSERT_TRUE(started.ok()) << started.error().to_string();
    server_ = started.take();
    port_ = server_->port();
  }

  os::Address address() const { return {"127.0.0.1", port_}; }
  Server& server() { return *server_; }

  void open_gate() {
    const os::Lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // What the server said of the calls it answered, in their order.
  std::vector<std::string> observed() {
    const os::Lock lock(mutex_);
    return observed_;
  }
  void wait_for_waiters(size_t count) {
    const os::Lock lock(mutex_);
    while (waiting_ < count) changed_.wait(mutex_);
  }
  void wait_for_cancelled(size_t count) {
    const os::Lock lock(mutex_);
    while (cancelled_ < count) changed_.wait(mutex_);
  }

 private:
  Result<Answer> handle(ServerCall& call) {
    switch (call.method) {
      case kFail:
        return Error(Code::kNoSpace, call.header);
      case kWait:
        wait(call);
        break;
      default:
        break;
    }
    return Answer{.header = call.header,
                  .payload = Payload::of(std::move(call.payload)),
                  .payload_xxh64 = call.method == kLie ? 4711u : 0u};
  }

  void observe(const ServerCall& call, const Result<Answer>& answer) {
    std::string words = std::to_string(call.method) + " " + std::to_string(call.received_bytes);
    words += " " + (answer.ok() ? std::to_string(answer->payload.size())
                                : std::string(name_of(answer.code())));
    if (call.arrived_ns == 0) words += " came at no time";
    const os::Lock lock(mutex_);
    observed_.push_back(std::move(words));
  }

  void wait(const ServerCall& call) {
    const os::Lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    while (!open_ && !call.is_cancelled()) {
      changed_.wait_for(mutex_, std::chrono::milliseconds(1));
    }
    --waiting_;
    if (call.is_cancelled()) ++cancelled_;
    changed_.notify_all();
  }

  const Security security_;
  const ServerOptions options_;
  uint16_t port_ = 0;
  os::Mutex mutex_;
  os::CondVar changed_;
  bool open_ GUARDED_BY(mutex_) = false;
  size_t waiting_ GUARDED_BY(mutex_) = 0;
  size_t cancelled_ GUARDED_BY(mutex_) = 0;
  std::vector<std::string> observed_ GUARDED_BY(mutex_);
  std::unique_ptr<Server> server_;
};

inline Payload payload_of(std::string text) {
  auto owner = std::make_shared<std::string>(std::move(text));
  return {.parts = {as_bytes(*owner)}, .owner = owner};
}

inline int64_t in_ms(int64_t ms) { return os::real_clock().monotonic_ns() + ms * 1'000'000; }

// Security of a node whose cluster has this authority.
inline Security security_of(const Authority& authority, Role role, wire::ClusterId cluster = {}) {
  const auto credentials = issue(authority, {.role = role, .name = "somebody"});
  return {.tls = TlsContext::make(*credentials).take(), .cluster = cluster};
}

}  // namespace nacre::rpc
