// A server of HTTP/1.1 on loopback that answers what a test says. For tests.
//
//   CannedServer server([](const CannedRequest& request) { return CannedAnswer{.status = 503}; });
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "os/mutex.h"
#include "os/tcp.h"
#include "os/thread.h"

namespace nacre::bucket {

struct CannedRequest {
  std::string method = {};
  std::string target = {};  // "/bucket/key?query"
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  size_t connection = 0;  // the how-manieth

  bool is(const std::string& wanted_method, const std::string& words) const {
    return method == wanted_method && target.find(words) != std::string::npos;
  }
};

struct CannedAnswer {
  int status = 200;
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  size_t body_bytes_sent = SIZE_MAX;  // then the connection is closed
  bool is_silent = false;             // nothing is sent, and the connection stays open
  bool hangs_up = false;              // nothing is sent, and the connection is closed
};

class CannedServer {
 public:
  using Answerer = std::function<CannedAnswer(const CannedRequest&)>;

  // `answer` is called from many threads.
  explicit CannedServer(Answerer answer) : answer_(std::move(answer)) {
    auto listener = os::TcpListener::listen({"127.0.0.1", 0});
    CHECK(listener.ok());
    listener_ = listener.take();
    acceptor_ = os::Thread("accept", [this] { accept(); });
  }
  ~CannedServer() {
    listener_->close();
    acceptor_.join();
    std::vector<os::Thread> threads;
    {
      const os::Lock lock(mutex_);
      for (const auto& each : streams_) each->shutdown();
      threads = std::move(threads_);
    }
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", listener_->port()); }
  std::vector<CannedRequest> requests() const {
    const os::Lock lock(mutex_);
    return requests_;
  }
  size_t connections() const {
    const os::Lock lock(mutex_);
    return streams_.size();
  }

 private:
  void accept() {
    for (;;) {
      auto stream = listener_->accept();
      if (!stream.ok() || *stream == nullptr) return;
      const os::Lock lock(mutex_);
      streams_.push_back(stream.take());
      os::ByteStream* const served = streams_.back().get();
      const size_t number = streams_.size();
      threads_.emplace_back("serve", [this, served, number] { serve(*served, number); });
    }
  }

  void serve(os::ByteStream& stream, size_t number) {
    std::string buffer;
    for (CannedRequest request; receive(stream, buffer, request); request = {}) {
      request.connection = number;
      {
        const os::Lock lock(mutex_);
        requests_.push_back(request);
      }
      const CannedAnswer answer = answer_(request);
      if (answer.is_silent) continue;
      if (answer.hangs_up || !send(stream, request, answer)) break;
    }
    stream.shutdown();
  }

  static bool more(os::ByteStream& stream, std::string& buffer) {
    std::string piece(65536, '\0');
    const auto count = stream.read_some(as_writable_bytes(piece));
    if (!count.ok() || *count == 0) return false;
    buffer.append(piece, 0, *count);
    return true;
  }

  static bool receive(os::ByteStream& stream, std::string& buffer, CannedRequest& request) {
    size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!more(stream, buffer)) return false;
    }
    const size_t space = buffer.find(' ');
    request.method = buffer.substr(0, space);
    request.target = buffer.substr(space + 1, buffer.find(' ', space + 1) - space - 1);
    for (size_t at = buffer.find("\r\n") + 2; at < end;) {
      const size_t line_end = buffer.find("\r\n", at);
      const std::string line = buffer.substr(at, line_end - at);
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      const size_t value = line.find_first_not_of(' ', line.find(':') + 1);
      request.headers[name] = value == std::string::npos ? "" : line.substr(value);
      at = line_end + 2;
    }
    size_t length = 0;
    if (const auto found = request.headers.find("content-length"); found != request.headers.end()) {
      const std::string& text = found->second;
      std::from_chars(text.data(), text.data() + text.size(), length);
    }
    while (buffer.size() < end + 4 + length) {
      if (!more(stream, buffer)) return false;
    }
    request.body = buffer.substr(end + 4, length);
    buffer.erase(0, end + 4 + length);
    return true;
  }

  static bool send(os::ByteStream& stream, const CannedRequest& request,
                   const CannedAnswer& answer) {
    std::string head = fmt::format("HTTP/1.1 {} Words\r\n", answer.status);
    for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
    if (!answer.headers.contains("Content-Length")) {
      head += fmt::format("Content-Length: {}\r\n", answer.body.size());
    }
    head += "\r\n";
    const std::string body =
        request.method == "HEAD" ? "" : answer.body.substr(0, answer.body_bytes_sent);
    const ByteView parts[] = {as_bytes(head), as_bytes(body)};
    return stream.write_all(parts).ok() && answer.body_bytes_sent == SIZE_MAX;
  }

  const Answerer answer_;
  std::unique_ptr<os::TcpListener> listener_;
  mutable os::Mutex mutex_;  // a leaf
  std::vector<std::unique_ptr<os::ByteStream>> streams_ GUARDED_BY(mutex_);
  std::vector<CannedRequest> requests_ GUARDED_BY(mutex_);
  std::vector<os::Thread> threads_ GUARDED_BY(mutex_);
  os::Thread acceptor_;
};

}  // namespace nacre::bucket
