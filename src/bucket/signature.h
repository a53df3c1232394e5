// AWS Signature Version 4, as S3 wants it. Pure functions, safe from any thread.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
//
// We sign ourselves although libcurl could (CURLOPT_AWS_SIGV4): libcurl 7.88 neither sorts the
// parameters of a query nor encodes them as the rules say, so listings with a prefix or a token
// would be refused; it cannot hash a body that comes in pieces; and it takes its time from the
// system and not from a clock.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace nacre::bucket {

// Parameters by name; signing needs them in that order.
using Query = std::map<std::string, std::string>;
// By name, in lower case.
using Headers = std::map<std::string, std::string>;

struct Signer {
  std::string key_id = {};
  std::string secret = {};
  std::string region = {};
};

struct ToSign {
  std::string method = {};
  std::string path = {};   // encoded
  std::string query = {};  // of encode_query()
  Headers headers = {};    // all that are signed: host and each x-amz-... at least
  std::string payload_sha256 = {};
  std::string time = {};  // of sign_time()
};

// The value of the header Authorization.
std::string authorization(const Signer& signer, const ToSign& request);

// "20130524T000000Z", for x-amz-date as well.
std::string sign_time(int64_t unix_seconds);

enum class Slashes { kKeep, kEncode };
std::string percent_encode(std::string_view text, Slashes slashes);
// "a=1&b=", encoded and in order.
std::string encode_query(const Query& query);

}  // namespace nacre::bucket
