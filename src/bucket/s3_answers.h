// The answers of S3 that are successes, out of XML. Input that nobody vouches for: what is missing
// or does not fit is kCorrupt. Pure functions, safe from any thread.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bucket/bucket.h"

namespace nacre::bucket {

// One page of ListObjectsV2.
struct ListPage {
  std::vector<ObjectInfo> objects = {};
  std::string next_token = {};  // empty: it was the last page
};
Result<ListPage> parse_list_page(std::string_view body);

// The id that InitiateMultipartUpload gave.
Result<std::string> parse_upload_id(std::string_view body);

// The ETag out of CompleteMultipartUpload, without quotes. A store may answer "200 OK" and put an
// <Error> into the body: none then.
Result<std::optional<std::string>> parse_completed(std::string_view body);

// One page of ListMultipartUploads.
struct Upload {
  std::string key = {};
  std::string id = {};
  int64_t began_s = 0;  // since 1970
};
struct UploadPage {
  std::vector<Upload> uploads = {};
  bool more = false;
  std::string next_key = {};
  std::string next_id = {};
};
Result<UploadPage> parse_upload_page(std::string_view body);

// "2026-01-02T03:04:05.000Z" → seconds since 1970.
Result<int64_t> parse_iso_time(std::string_view text);

// Without the quotes around it.
std::string_view unquoted(std::string_view etag);

// "bytes 0-499/1234".
struct ContentRange {
  uint64_t first = 0;
  uint64_t last = 0;
  friend bool operator==(const ContentRange&, const ContentRange&) = default;
};
Result<ContentRange> parse_content_range(std::string_view text);

}  // namespace nacre::bucket
