// Signed requests to one bucket of an S3 store, and its refusals as errors. Private to this folder.
// Safe from any thread.
#pragma once

#include <optional>
#include <string>

#include "bucket/http.h"
#include "bucket/s3_options.h"
#include "bucket/signature.h"

namespace nacre::bucket {

struct S3Request {
  std::string verb = {};  // for messages: "read"
  std::string method = {};
  std::string key = {};  // whole, with the prefix of the bucket; empty: the bucket itself
  Query query = {};
  Headers headers = {};
  std::optional<std::span<const ByteView>> body = {};
  std::optional<MutableBytes> into = {};
  uint64_t body_bytes_max = 64u << 10;
};

class S3Client {
 public:
  explicit S3Client(S3Options options);

  // An answer with a status of 2xx. Errors are those of bucket.h.
  Result<HttpAnswer> call(const S3Request& request);
  // An answer of any status.
  Result<HttpAnswer> ask(const S3Request& request);
  // The error for an answer that is no success, be it an <Error> after "200 OK".
  Error refusal(const S3Request& request, const HttpAnswer& answer);
  // "read s3://bucket/key at https://host: words".
  Error said(const S3Request& request, Code code, std::string_view words) const;

  void stop() { http_.stop(); }
  const S3Options& options() const { return options_; }

 private:
  std::string host() const;
  std::string path_of(const std::string& key) const;
  Headers signed_headers(const S3Request& request, const std::string& path,
                         const std::string& query) const;
  std::string what(const S3Request& request) const;
  // The store may repeat in its words what it was sent.
  std::string without_secrets(std::string text) const;

  const S3Options options_;
  HttpTransport http_;
};

}  // namespace nacre::bucket
