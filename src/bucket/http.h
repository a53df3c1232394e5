// Requests over HTTP and HTTPS, by libcurl: a bounded pool of connections that are used again,
// deadlines, bounded answers, and an end on demand. Private to this folder. Safe from any thread;
// calls block.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bucket/signature.h"
#include "os/mutex.h"

namespace nacre::bucket {

struct HttpOptions {
  std::string server = {};     // for messages: "https://host:port"
  std::string ca_file = {};    // certificates to trust instead of the system's; empty: those
  size_t connections_max = 8;  // calls beyond that wait for their turn
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  // A call ends when fewer than `stall_bytes_per_s` have moved, on average, for so long.
  std::chrono::seconds stall_timeout = std::chrono::seconds(30);
  uint64_t stall_bytes_per_s = 128;
};

struct HttpRequest {
  std::string method = {};
  std::string url = {};
  Headers headers = {};
  std::optional<std::span<const ByteView>> body = {};
  // Where the body of an answer with status 200 or 206 goes, if given, and as much as fits.
  std::optional<MutableBytes> into = {};
  // Any other body: what is longer is cut.
  uint64_t body_bytes_max = 0;
};

struct HttpAnswer {
  long status = 0;
  Headers headers = {};
  std::string body = {};
  size_t into_bytes = 0;  // how many came into `into`
  bool cut = false;       // there was more than there was room for
  std::chrono::seconds retry_after = {};

  bool is_success() const { return status / 100 == 2; }
  // Empty without it.
  const std::string& header(const std::string& name) const;
};

class HttpTransport {
 public:
  explicit HttpTransport(HttpOptions options);
  ~HttpTransport();
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  // Whatever the status. kUnavailable when nobody answers, or too slowly; kCorrupt when an answer
  // broke off; kInvalid when the certificate is not trusted; kCancelled after stop(). Messages name
  // the server and never what was sent.
  Result<HttpAnswer> perform(const HttpRequest& request);
  // Ends all calls under way, and those to come.
  void stop();

 private:
  class Connection;
  class Turn;

  Result<Connection*> take() EXCLUDES(mutex_);
  void give_back(Connection* connection) EXCLUDES(mutex_);

  const HttpOptions options_;

  // A leaf: guards who uses which connection.
  os::Mutex mutex_;
  os::CondVar returned_;
  std::vector<std::unique_ptr<Connection>> all_ GUARDED_BY(mutex_);
  std::vector<Connection*> idle_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace nacre::bucket
