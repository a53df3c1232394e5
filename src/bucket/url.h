// The names of buckets and endpoints as users write them. Pure functions, safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre::bucket {

// A bucket, and what the keys of all objects in it begin with.
struct BucketUrl {
  std::string bucket = {};
  std::string prefix = {};  // empty, or ends with '/'

  std::string to_string() const;
  friend bool operator==(const BucketUrl&, const BucketUrl&) = default;
};

// What of a key is left to the prefix: a key of S3 has 1024 bytes.
inline constexpr size_t kMaxPrefixBytes = 100;

// "s3://BUCKET" or "s3://BUCKET/PREFIX", with or without '/' at the end. kInvalid says what is
// wrong.
Result<BucketUrl> parse_bucket_url(std::string_view text);

struct Endpoint {
  bool tls = true;
  std::string host = {};  // a name or a number; IPv6 without brackets
  uint16_t port = 0;      // 0: the scheme's own

  // As it stands in a request: the port only where it is not the scheme's own.
  std::string authority() const;
  std::string to_string() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "https://HOST[:PORT]" or "http://...", with or without '/' at the end; no path, user or query.
// kInvalid says what is wrong.
Result<Endpoint> parse_endpoint(std::string_view text);

// The region that the endpoint's name tells, as "s3.REGION.backblazeb2.com" and
// "s3.REGION.amazonaws.com" do; else "us-east-1", which stores without regions take.
std::string region_of(const Endpoint& endpoint);

}  // namespace nacre::bucket
