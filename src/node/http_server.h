// Answers GET and HEAD over plain HTTP: metrics and health, for those who watch a daemon. Built on
// libmicrohttpd, with one thread for all connections.
//
// What is bounded: connections at a time (others wait in the kernel), their memory, and how long
// one may say nothing. There is neither TLS nor a password: bind it where strangers do not come.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "os/tcp.h"

namespace nacre::node {

struct HttpAnswer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body = {};
};

class HttpServer {
 public:
  // By path. Each is called on the server's thread, one at a time, and must not wait for long.
  using Pages = std::map<std::string, std::function<HttpAnswer()>, std::less<>>;

  // Other paths are answered with 404, other methods with 405. Errors are those of
  // os::listen_tcp().
  static Result<std::unique_ptr<HttpServer>> start(const os::Address& address, Pages pages);
  ~HttpServer();  // stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;
  // No page is called any more on return. Idempotent.
  void stop();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

}  // namespace nacre::node
