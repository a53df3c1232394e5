#include "bucket/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "bucket/key.h"

namespace nacre::bucket {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_host_byte(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}
bool is_ipv6_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
         c == '.';
}

Error wrong(std::string_view what) { return Error(Code::kInvalid, std::string(what)); }

// What may stand in a URL by mistake: a user and a password. It is not repeated in messages.
bool has_user(std::string_view text) { return text.find('@') != std::string_view::npos; }

Status check_bucket_name(std::string_view name) {
  const bool fits = name.size() >= 3 && name.size() <= 63;
  const bool clean = std::ranges::all_of(
      name, [](char c) { return is_lower_or_digit(c) || c == '-' || c == '.'; });
  if (fits && clean && is_lower_or_digit(name.front()) && is_lower_or_digit(name.back()) &&
      name.find("..") == std::string_view::npos) {
    return {};
  }
  return wrong(
      "the name of a bucket has 3 to 63 of a-z, 0-9, '-' and '.', begins and ends with a letter or "
      "digit, and has no \"..\": s3://BUCKET/PREFIX");
}

Result<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return wrong("the port of an endpoint is a number from 1 to 65535");
  }
  return port;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-';
}

Status check_host(std::string_view host) {
  bool good = !host.empty() && host.size() <= 253 && std::ranges::all_of(host, is_host_byte);
  for (size_t begin = 0; good && begin <= host.size();) {
    const size_t end = std::min(host.find('.', begin), host.size());
    good = is_label(host.substr(begin, end - begin));
    begin = end + 1;
  }
  if (!good) return wrong("an endpoint is https://HOST or https://HOST:PORT, and this has no host");
  return {};
}

uint16_t default_port(bool tls) { return tls ? 443 : 80; }

}  // namespace

std::string BucketUrl::to_string() const {
  return prefix.empty() ? "s3://" + bucket
                        : fmt::format("s3://{}/{}", bucket, prefix.substr(0, prefix.size() - 1));
}

Result<BucketUrl> parse_bucket_url(std::string_view text) {
  constexpr std::string_view kScheme = "s3://";
  if (has_user(text)) {
    return wrong(
        "a bucket is s3://BUCKET/PREFIX, without user or password: credentials come from "
        "the environment or a file");
  }
  if (!text.starts_with(kScheme)) {
    return wrong("a bucket is written s3://BUCKET or s3://BUCKET/PREFIX");
  }
  text.remove_prefix(kScheme.size());
  const size_t slash = std::min(text.find('/'), text.size());
  TRY(check_bucket_name(text.substr(0, slash)));
  BucketUrl url{.bucket = std::string(text.substr(0, slash))};
  std::string_view prefix = text.substr(std::min(slash + 1, text.size()));
  if (prefix.size() > 1 && prefix.ends_with('/')) prefix.remove_suffix(1);
  if (prefix.empty()) return url;
  if (prefix.size() >= kMaxPrefixBytes || !check_key(prefix).ok()) {
    return wrong(
        fmt::format("the prefix in s3://BUCKET/PREFIX has up to {} of A-Z, a-z, 0-9, '/', "
                    "'_', '.' and '-', and no empty part, \".\" or \"..\"",
                    kMaxPrefixBytes - 1));
  }
  url.prefix = std::string(prefix) + "/";
  return url;
}

std::string Endpoint::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  const std::string name = is_ipv6 ? "[" + host + "]" : host;
  return port == 0 ? name : fmt::format("{}:{}", name, port);
}

std::string Endpoint::to_string() const { return (tls ? "https://" : "http://") + authority(); }

Result<Endpoint> parse_endpoint(std::string_view text) {
  constexpr std::string_view kHttps = "https://";
  constexpr std::string_view kHttp = "http://";
  if (has_user(text)) {
    return wrong(
        "an endpoint is https://HOST or https://HOST:PORT, without user or password: "
        "credentials come from the environment or a file");
  }
  Endpoint endpoint{.tls = text.starts_with(kHttps)};
  if (!endpoint.tls && !text.starts_with(kHttp)) {
    return wrong("an endpoint is written https://HOST[:PORT], or http://HOST[:PORT]");
  }
  text.remove_prefix(endpoint.tls ? kHttps.size() : kHttp.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.find_first_of("/?#") != std::string_view::npos) {
    return wrong("an endpoint is https://HOST[:PORT] and nothing more: no path, bucket or query");
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    const std::string_view host = text.substr(1, close == std::string_view::npos ? 0 : close - 1);
    if (host.size() < 2 || !std::ranges::all_of(host, is_ipv6_byte)) {
      return wrong("an endpoint with an IPv6 address is https://[ADDRESS]:PORT");
    }
    endpoint.host = host;
    port = text.substr(close + 1);
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    TRY(check_host(text.substr(0, colon)));
    endpoint.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (port.empty()) return endpoint;
  if (port.front() != ':') return wrong("after the host of an endpoint comes \":PORT\" or nothing");
  endpoint.port = TRY(parse_port(port.substr(1)));
  if (endpoint.port == default_port(endpoint.tls)) endpoint.port = 0;
  return endpoint;
}

std::string region_of(const Endpoint& endpoint) {
  constexpr std::string_view kBegin = "s3.";
  const std::string_view host = endpoint.host;
  for (const std::string_view end : {".backblazeb2.com", ".amazonaws.com", ".wasabisys.com"}) {
    if (!host.starts_with(kBegin) || !host.ends_with(end)) continue;
    if (host.size() <= kBegin.size() + end.size()) continue;
    const std::string_view middle =
        host.substr(kBegin.size(), host.size() - kBegin.size() - end.size());
    if (middle.find('.') == std::string_view::npos) return std::string(middle);
  }
  return "us-east-1";
}

}  // namespace nacre::bucket
