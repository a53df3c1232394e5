#include "bucket/http.h"

#include "base/check.h"
#include "bucket/http_connection.h"

namespace nacre::bucket {
namespace {

void start_curl() {
  static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(kStarted == CURLE_OK);
}

}  // namespace

const std::string& HttpAnswer::header(const std::string& name) const {
  static const std::string kNone;
  const auto found = headers.find(name);
  return found == headers.end() ? kNone : found->second;
}

// A connection for the length of a call.
class HttpTransport::Turn {
 public:
  Turn(HttpTransport& transport, Connection* connection)
      : transport_(transport), connection_(connection) {}
  ~Turn() { transport_.give_back(connection_); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  Connection& connection() { return *connection_; }

 private:
  HttpTransport& transport_;
  Connection* const connection_;
};

HttpTransport::HttpTransport(HttpOptions options) : options_(std::move(options)) {
  CHECK(options_.connections_max > 0);
  start_curl();
}

HttpTransport::~HttpTransport() = default;

Result<HttpAnswer> HttpTransport::perform(const HttpRequest& request) {
  Turn turn(*this, TRY(take()));
  return turn.connection().perform(request);
}

void HttpTransport::stop() {
  const os::Lock lock(mutex_);
  stopped_ = true;
  for (const auto& each : all_) each->stop();
  returned_.notify_all();
}

Result<HttpTransport::Connection*> HttpTransport::take() {
  const os::Lock lock(mutex_);
  while (!stopped_ && idle_.empty() && all_.size() == options_.connections_max) {
    returned_.wait(mutex_);
  }
  if (stopped_) return Error(Code::kCancelled, options_.server + ": stopped");
  if (idle_.empty()) return all_.emplace_back(std::make_unique<Connection>(options_)).get();
  Connection* const latest = idle_.back();  // the likeliest to be still open
  idle_.pop_back();
  return latest;
}

void HttpTransport::give_back(Connection* connection) {
  const os::Lock lock(mutex_);
  idle_.push_back(connection);
  returned_.notify_one();
}

}  // namespace nacre::bucket
