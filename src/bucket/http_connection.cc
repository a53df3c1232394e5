#include "bucket/http_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace nacre::bucket {
namespace {

constexpr size_t kHeaderBytesMax = 64u << 10;
constexpr std::chrono::milliseconds kPollMax(1000);
constexpr long kBufferBytes = 512L << 10;  // moved by one call of the kernel, at most

// libcurl's setters fail only without memory, or for what this libcurl was built without.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

}  // namespace

// What a call has sent and received so far; libcurl's callbacks are given it.
struct HttpTransport::Connection::Exchange {
  const HttpRequest& request;
  CURL* easy;
  HttpAnswer answer = {};
  size_t header_bytes = 0;
  // How far the body is sent.
  size_t part = 0;
  size_t part_offset = 0;

  bool goes_into() {
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
    return request.into && (answer.status == 200 || answer.status == 206);
  }

  // Taking fewer bytes than are given ends the transfer.
  size_t take(std::string_view bytes) {
    const bool into = goes_into();
    const uint64_t taken = into ? answer.into_bytes : answer.body.size();
    const uint64_t limit = into ? request.into->size() : request.body_bytes_max;
    const size_t count = std::min<uint64_t>(bytes.size(), limit - taken);
    if (into) {
      if (count > 0) std::memcpy(request.into->data() + taken, bytes.data(), count);
      answer.into_bytes += count;
    } else {
      answer.body += bytes.substr(0, count);
    }
    answer.cut |= count < bytes.size();
    return count;
  }

  size_t take_header(std::string_view line) {
    header_bytes += line.size();
    if (header_bytes > kHeaderBytesMax) return 0;
    if (line.starts_with("HTTP/")) answer.headers.clear();  // those of "100 Continue", say
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      answer.headers[lower(trimmed(line.substr(0, colon)))] = trimmed(line.substr(colon + 1));
    }
    return line.size();
  }

  size_t give(char* to, size_t room) {
    const std::span<const ByteView> parts = *request.body;
    size_t given = 0;
    while (given < room && part < parts.size()) {
      const ByteView rest = parts[part].subspan(part_offset);
      const size_t count = std::min(rest.size(), room - given);
      if (count > 0) std::memcpy(to + given, rest.data(), count);
      given += count;
      part_offset += count;
      if (part_offset == parts[part].size()) {
        ++part;
        part_offset = 0;
      }
    }
    return given;
  }

  static size_t on_body(char* data, size_t size, size_t count, void* self) {
    return static_cast<Exchange*>(self)->take({data, size * count});
  }
  static size_t on_header(char* data, size_t size, size_t count, void* self) {
    return static_cast<Exchange*>(self)->take_header({data, size * count});
  }
  static size_t on_send(char* to, size_t size, size_t count, void* self) {
    return static_cast<Exchange*>(self)->give(to, size * count);
  }
  // A connection that was used before turned out to be closed: the body is sent again, from its
  // begin.
  static int on_seek(void* self, curl_off_t offset, int origin) {
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<Exchange*>(self)->part = 0;
    static_cast<Exchange*>(self)->part_offset = 0;
    return CURL_SEEKFUNC_OK;
  }
};

HttpTransport::Connection::Connection(const HttpOptions& options)
    : options_(options), multi_(curl_multi_init()), easy_(curl_easy_init()) {
  CHECK(multi_ != nullptr && easy_ != nullptr);
}

void HttpTransport::Connection::stop() {
  stopped_ = true;
  curl_multi_wakeup(multi_.get());
}

Result<HttpAnswer> HttpTransport::Connection::perform(const HttpRequest& request) {
  Exchange exchange{request, easy_.get()};
  Lines lines;
  // Waiting for "100 Continue" would cost a round trip for each object.
  for (const std::string& line : {std::string("Expect:"), std::string("Accept:")}) {
    lines.reset(curl_slist_append(lines.release(), line.c_str()));
  }
  for (const auto& [name, value] : request.headers) {
    lines.reset(curl_slist_append(lines.release(), (name + ": " + value).c_str()));
  }
  set_up(request, exchange, lines);
  const CURLcode code = run();
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &exchange.answer.status);
  if (stopped_) return Error(Code::kCancelled, options_.server + ": stopped");
  if (code != CURLE_OK && !exchange.answer.cut) return failed(code, exchange);
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &retry_after_s);
  exchange.answer.retry_after = std::chrono::seconds(std::max<curl_off_t>(retry_after_s, 0));
  return std::move(exchange.answer);
}

void HttpTransport::Connection::set_up(const HttpRequest& request, Exchange& exchange,
                                       const Lines& lines) {
  CURL* const easy = easy_.get();
  curl_easy_reset(easy);  // keeps the connection
  words_[0] = '\0';
  set(easy, CURLOPT_ERRORBUFFER, words_);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  // A call that ends does not wait for a name server that says nothing.
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_BUFFERSIZE, kBufferBytes);
  set(easy, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_timeout.count()));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options_.stall_bytes_per_s));
  set(easy, CURLOPT_USERAGENT, "nacre");
  if (!options_.ca_file.empty()) set(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_PATH_AS_IS, 1L);  // it is signed as it is
  set(easy, CURLOPT_HTTPHEADER, lines.get());
  set(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  set(easy, CURLOPT_HEADERDATA, static_cast<void*>(&exchange));
  set(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
  set_up_body(request, exchange);
}

void HttpTransport::Connection::set_up_body(const HttpRequest& request, Exchange& exchange) {
  CURL* const easy = easy_.get();
  if (request.body) {
    uint64_t total = 0;
    for (const ByteView part : *request.body) total += part.size();
    set(easy, CURLOPT_UPLOAD, 1L);
    set(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(total));
    set(easy, CURLOPT_READFUNCTION, &Exchange::on_send);
    set(easy, CURLOPT_READDATA, static_cast<void*>(&exchange));
    set(easy, CURLOPT_SEEKFUNCTION, &Exchange::on_seek);
    set(easy, CURLOPT_SEEKDATA, static_cast<void*>(&exchange));
  }
  if (request.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else {
    set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

CURLcode HttpTransport::Connection::run() {
  if (curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) return CURLE_OUT_OF_MEMORY;
  CURLcode code = CURLE_OK;
  for (int running = 1; !stopped_;) {
    if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) {
      code = CURLE_OUT_OF_MEMORY;
      break;
    }
    int left = 0;
    if (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
      code = message->data.result;
      break;
    }
    curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(kPollMax.count()), nullptr);
  }
  curl_multi_remove_handle(multi_.get(), easy_.get());
  return code;
}

Error HttpTransport::Connection::failed(CURLcode code, const Exchange& exchange) const {
  const std::string words = words_[0] == '\0' ? curl_easy_strerror(code) : words_;
  const auto said = [&](Code as, std::string_view what) {
    return Error(as, fmt::format("{} {} ({})", options_.server, what, words));
  };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return said(Code::kUnavailable,
                  "cannot be found: check its name and this machine's network and DNS");
    case CURLE_COULDNT_CONNECT:
      return said(Code::kUnavailable, "cannot be reached: check the network, or wait for it");
    case CURLE_OPERATION_TIMEDOUT:
      return said(Code::kUnavailable, "does not answer, or too slowly");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return said(Code::kInvalid,
                  "has a certificate that is not trusted: check the endpoint, this machine's clock "
                  "and its ca-certificates");
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return said(Code::kCorrupt, "sent an answer that is cut off or not HTTP");
    case CURLE_WRITE_ERROR:
      return said(Code::kCorrupt, "sent an answer with headers over all bounds");
    default:
      break;
  }
  if (exchange.answer.status != 0) return said(Code::kCorrupt, "broke off its answer");
  return said(Code::kUnavailable, "broke the connection");
}

}  // namespace nacre::bucket
