#include "node/http_server.h"

#include <microhttpd.h>

#include <string_view>

namespace nacre::node {
namespace {

constexpr unsigned kConnectionsMax = 32;
constexpr unsigned kSilenceLimitSeconds = 10;
constexpr size_t kConnectionBytesMax = 16 << 10;

bool only_reads(std::string_view method) {
  return method == MHD_HTTP_METHOD_GET || method == MHD_HTTP_METHOD_HEAD;
}

MHD_Result send(MHD_Connection* connection, HttpAnswer answer) {
  MHD_Response* const response = MHD_create_response_from_buffer(
      answer.body.size(), answer.body.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type.c_str());
  if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  const MHD_Result queued = MHD_queue_response(connection, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

// Called once when the headers of a request are there, and again for its body and its end.
MHD_Result handle(void* pages_given, MHD_Connection* connection, const char* path,
                  const char* method, const char* /*version*/, const char* /*body*/,
                  size_t* body_bytes, void** seen) {
  const auto& pages = *static_cast<const HttpServer::Pages*>(pages_given);
  const auto page = pages.find(std::string_view(path));
  // Answered now, the connection closes without the body being read.
  if (page == pages.end()) {
    return send(connection, {.status = MHD_HTTP_NOT_FOUND, .body = "there is no such page\n"});
  }
  if (!only_reads(method)) {
    return send(connection,
                {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .body = "this can only be read\n"});
  }
  if (*seen == nullptr) {
    *seen = connection;
    return MHD_YES;
  }
  if (*body_bytes != 0) {
    *body_bytes = 0;
    return MHD_YES;
  }
  return send(connection, page->second());
}

}  // namespace

struct HttpServer::State {
  Pages pages;
  uint16_t port = 0;
  MHD_Daemon* daemon = nullptr;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(const os::Address& address, Pages pages) {
  os::Fd socket = TRY(os::listen_tcp(address));
  auto state = std::make_unique<State>();
  state->pages = std::move(pages);
  state->port = os::port_of(socket);
  state->daemon =
      MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, nullptr, nullptr, &handle, &state->pages,
                       MHD_OPTION_LISTEN_SOCKET, socket.get(), MHD_OPTION_CONNECTION_LIMIT,
                       kConnectionsMax, MHD_OPTION_CONNECTION_TIMEOUT, kSilenceLimitSeconds,
                       MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytesMax, MHD_OPTION_END);
  if (state->daemon == nullptr) {
    return Error(Code::kIo, "serve HTTP at " + address.to_string() + ": no thread could be made");
  }
  socket.release();  // the daemon's
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

uint16_t HttpServer::port() const { return state_->port; }

void HttpServer::stop() {
  if (state_->daemon != nullptr) MHD_stop_daemon(std::exchange(state_->daemon, nullptr));
}

}  // namespace nacre::node
