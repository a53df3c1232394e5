#include "node/http_server.h"

#include <gtest/gtest.h>

#include <vector>

namespace nacre::node {
namespace {

constexpr int64_t kLimitNs = 5'000'000'000;

// All that comes back for what is sent, until the server closes.
std::string answer_to(const HttpServer& server, const std::string& request) {
  const auto stream = os::connect_tcp({"127.0.0.1", server.port()}, kLimitNs).take();
  stream->set_read_timeout(kLimitNs);
  const ByteView bytes = as_bytes(request);
  EXPECT_TRUE(stream->write_all({&bytes, 1}).ok());
  std::string answer;
  for (std::string part(4096, '\0');;) {
    const auto read = stream->read_some(as_writable_bytes(part));
    if (!read.ok() || *read == 0) return answer;
    answer.append(part, 0, *read);
  }
}

std::string request(const std::string& method, const std::string& path) {
  return method + " " + path + " HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
}

class HttpServerTest : public testing::Test {
 protected:
  int asked_ = 0;
  std::unique_ptr<HttpServer> server_ =
      HttpServer::start(
          {"127.0.0.1", 0},
          {{"/count",
            [this] {
              return HttpAnswer{.type = "text/counting",
                                .body = "asked " + std::to_string(++asked_)};
            }},
           {"/bad", [] { return HttpAnswer{.status = 503, .body = "out of order\n"}; }}})
          .take();
};

TEST_F(HttpServerTest, GivesPages) {
  const std::string answer = answer_to(*server_, request("GET", "/count"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.contains("Content-Type: text/counting\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nasked 1")) << answer;
  EXPECT_TRUE(answer_to(*server_, request("GET", "/count?q=1")).ends_with("asked 2"));
  const std::string bad = answer_to(*server_, request("GET", "/bad"));
  EXPECT_TRUE(bad.starts_with("HTTP/1.1 503 ") && bad.ends_with("\r\n\r\nout of order\n")) << bad;
}

TEST_F(HttpServerTest, GivesTheHeadAlone) {
  const std::string answer = answer_to(*server_, request("HEAD", "/count"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.contains("Content-Length: 7\r\n") && answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(HttpServerTest, RefusesOtherPathsAndMethods) {
  for (const char* path : {"/", "/counts", "/count/", "/../count"}) {
    EXPECT_TRUE(answer_to(*server_, request("GET", path)).starts_with("HTTP/1.1 404 ")) << path;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    const std::string answer = answer_to(*server_, request(method, "/count"));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << method << answer;
    EXPECT_TRUE(answer.contains("Allow: GET, HEAD\r\n")) << answer;
  }
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpServerTest, AnswersOneAfterAnotherOnOneConnection) {
  const std::string answer =
      answer_to(*server_, "GET /count HTTP/1.1\r\nHost: here\r\n\r\n" + request("GET", "/count"));
  EXPECT_TRUE(answer.contains("asked 1") && answer.contains("asked 2")) << answer;
}

TEST_F(HttpServerTest, OutlivesGarbage) {
  for (const std::string& garbage :
       {std::string(100'000, 'x'), std::string("\x16\x03\x01\0\r\n\r\n", 8),
        "GET /count HTTP/1.1\r\n" + std::string(200'000, 'h'),
        std::string("GET /count HTTP/1.1\r\nHost: here\r\nContent-Length: 99999999999999999999\r\n"
                    "\r\n")}) {
    (void)answer_to(*server_, garbage);
  }
  EXPECT_TRUE(answer_to(*server_, request("GET", "/count")).starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ServesWhileOthersSayNothing) {
  std::vector<std::unique_ptr<os::ByteStream>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(os::connect_tcp({"127.0.0.1", server_->port()}, kLimitNs).take());
  }
  EXPECT_TRUE(answer_to(*server_, request("GET", "/count")).ends_with("asked 1"));
}

TEST_F(HttpServerTest, SaysWhatIsWrongWithAnAddress) {
  EXPECT_EQ(HttpServer::start({"127.0.0.1", server_->port()}, {}).code(), Code::kBusy);
  EXPECT_EQ(HttpServer::start({"192.0.2.1", 0}, {}).code(), Code::kInvalid);
}

TEST_F(HttpServerTest, StopsOnceAndForAll) {
  const uint16_t port = server_->port();
  server_->stop();
  server_->stop();
  EXPECT_EQ(os::connect_tcp({"127.0.0.1", port}, kLimitNs).code(), Code::kUnavailable);
}

}  // namespace
}  // namespace nacre::node
