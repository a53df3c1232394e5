// What an S3 store's refusal means, in our codes and in words that say what to do. Pure functions,
// safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre::bucket {

// What the store said. All of it is input that nobody vouches for.
struct S3Refusal {
  long status = 0;
  std::string code = {};     // "NoSuchKey"; empty if the answer was not S3's
  std::string message = {};  // the store's own words
  std::string region = {};   // that it wants, if it says so
  std::optional<int64_t> server_time_s = {};
};

// What was asked, for the words.
struct S3Asked {
  std::string what = {};  // "put s3://bucket/key at https://host"
  std::string bucket = {};
  std::string endpoint = {};
  std::string region = {};
  std::string credentials_origin = {};
  int64_t our_time_s = 0;
};

// From the body and the headers of an answer that is no success.
S3Refusal parse_refusal(long status, std::string_view body, std::string_view region_header,
                        std::string_view date_header);

// As in bucket.h. A 404 or 416 whose body is not S3's is kUnavailable: something else answered, and
// what is there must not be taken for missing.
Error error_of(const S3Refusal& refusal, const S3Asked& asked);

// What may be shown of text that a server sent: one line, printable, not long.
std::string shown(std::string_view text);

// "23 min behind", "2 h ahead of": how our clock differs from the endpoint's.
std::string clock_difference(int64_t our_time_s, int64_t server_time_s);

}  // namespace nacre::bucket
