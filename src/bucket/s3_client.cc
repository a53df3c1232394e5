#include "bucket/s3_client.h"

#include <fmt/format.h>

#include "bucket/digest.h"
#include "bucket/s3_error.h"

namespace nacre::bucket {
namespace {

S3Options with_region(S3Options options) {
  if (options.region.empty()) options.region = options.credentials.region;
  if (options.region.empty()) options.region = region_of(options.endpoint);
  return options;
}

constexpr int64_t kNsPerSecond = 1'000'000'000;
// What a store may make us wait.
constexpr std::chrono::seconds kRetryAfterMax(300);

}  // namespace

S3Client::S3Client(S3Options options)
    : options_(with_region(std::move(options))),
      http_({.server = options_.endpoint.to_string(),
             .ca_file = options_.ca_file,
             .connections_max = options_.connections_max,
             .connect_timeout = options_.connect_timeout,
             .stall_timeout = options_.stall_timeout}) {}

Result<HttpAnswer> S3Client::call(const S3Request& request) {
  HttpAnswer answer = TRY(ask(request));
  if (!answer.is_success()) return refusal(request, answer);
  return answer;
}

Result<HttpAnswer> S3Client::ask(const S3Request& request) {
  const std::string path = path_of(request.key);
  const std::string query = encode_query(request.query);
  const std::string url = fmt::format("{}://{}{}{}{}", options_.endpoint.tls ? "https" : "http",
                                      host(), path, query.empty() ? "" : "?", query);
  Result<HttpAnswer> answer = http_.perform({.method = request.method,
                                             .url = url,
                                             .headers = signed_headers(request, path, query),
                                             .body = request.body,
                                             .into = request.into,
                                             .body_bytes_max = request.body_bytes_max});
  if (!answer.ok()) return said(request, answer.code(), answer.error().context());
  if (answer->retry_after > std::chrono::seconds(0)) {
    const std::chrono::nanoseconds wait = std::min(answer->retry_after, kRetryAfterMax);
    options_.pacing->not_before(options_.clock->monotonic_ns() + wait.count());
  }
  return answer;
}

Error S3Client::refusal(const S3Request& request, const HttpAnswer& answer) {
  const S3Refusal refusal = parse_refusal(
      answer.status, answer.body, answer.header("x-amz-bucket-region"), answer.header("date"));
  const Error error = error_of(refusal, {.what = what(request),
                                         .bucket = options_.bucket.bucket,
                                         .endpoint = options_.endpoint.to_string(),
                                         .region = options_.region,
                                         .credentials_origin = options_.credentials.origin,
                                         .our_time_s = options_.clock->now().ns / kNsPerSecond});
  return Error(error.code(), without_secrets(error.context()));
}

Error S3Client::said(const S3Request& request, Code code, std::string_view words) const {
  return Error(code, fmt::format("{}: {}", what(request), words));
}

std::string S3Client::what(const S3Request& request) const {
  return fmt::format("{} s3://{}/{} at {}", request.verb, options_.bucket.bucket, request.key,
                     options_.endpoint.to_string());
}

std::string S3Client::host() const {
  const std::string authority = options_.endpoint.authority();
  return options_.virtual_hosted ? options_.bucket.bucket + "." + authority : authority;
}

std::string S3Client::path_of(const std::string& key) const {
  std::string path = "/" + percent_encode(key, Slashes::kKeep);
  if (options_.virtual_hosted) return path;
  return "/" + options_.bucket.bucket + (key.empty() ? "" : path);
}

Headers S3Client::signed_headers(const S3Request& request, const std::string& path,
                                 const std::string& query) const {
  ToSign to_sign{.method = request.method,
                 .path = path,
                 .query = query,
                 .headers = request.headers,
                 .payload_sha256 = hex_of(sha256_of(request.body.value_or(std::span<ByteView>()))),
                 .time = sign_time(options_.clock->now().ns / kNsPerSecond)};
  to_sign.headers["host"] = host();
  to_sign.headers["x-amz-content-sha256"] = to_sign.payload_sha256;
  to_sign.headers["x-amz-date"] = to_sign.time;
  const Credentials& credentials = options_.credentials;
  if (!credentials.session_token.empty()) {
    to_sign.headers["x-amz-security-token"] = credentials.session_token;
  }
  Headers headers = to_sign.headers;
  headers["authorization"] =
      authorization({credentials.key_id, credentials.secret, options_.region}, to_sign);
  return headers;
}

std::string S3Client::without_secrets(std::string text) const {
  for (const std::string& secret :
       {options_.credentials.secret, options_.credentials.session_token}) {
    for (size_t at = 0; !secret.empty() && (at = text.find(secret)) != std::string::npos;) {
      text.replace(at, secret.size(), "(secret)");
    }
  }
  return text;
}

}  // namespace nacre::bucket
