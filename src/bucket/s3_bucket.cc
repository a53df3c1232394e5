#include "bucket/s3_bucket.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "bucket/digest.h"
#include "bucket/key.h"
#include "bucket/s3_answers.h"
#include "bucket/s3_multipart.h"
#include "bucket/s3_sums.h"
#include "bucket/xml.h"

namespace nacre::bucket {
namespace {

// Headers and messages are lines of printable text.
bool can_be_sent(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

Result<std::unique_ptr<S3Bucket>> S3Bucket::open(S3Options options) {
  const Credentials& credentials = options.credentials;
  if (credentials.key_id.empty() || credentials.secret.empty()) {
    return Error(Code::kInvalid, "a bucket needs a key id and a key");
  }
  if (!can_be_sent(credentials.key_id) || !can_be_sent(credentials.secret) ||
      !can_be_sent(credentials.session_token) || !can_be_sent(options.region)) {
    return Error(Code::kInvalid, fmt::format("the credentials from {} have blanks or characters "
                                             "that no key has: copy them again",
                                             credentials.origin));
  }
  return std::unique_ptr<S3Bucket>(new S3Bucket(std::move(options)));
}

Status S3Bucket::put(const std::string& key, std::span<const ByteView> parts) {
  TRY(check_key(key));
  uint64_t total = 0;
  for (const ByteView part : parts) total += part.size();
  if (total > kMaxObjectBytes) {
    return Error(Code::kTooBig, fmt::format("{}: {} bytes are too many", key, total));
  }
  if (total <= kAtOnceBytesMax) return put_at_once(whole(key), parts);
  return MultipartUpload(*this, key, parts).run();
}

Status S3Bucket::put_at_once(const std::string& key, std::span<const ByteView> parts) {
  const Md5 sum = md5_of(parts);
  const S3Request request{.verb = "put",
                          .method = "PUT",
                          .key = key,
                          .headers = {{"content-md5", base64_of(sum)}},
                          .body = parts};
  const HttpAnswer answer = TRY(client_.call(request));
  const std::string_view etag = unquoted(answer.header("etag"));
  if (etag.empty()) return client_.said(request, Code::kCorrupt, "the answer has no ETag");
  if (is_md5_etag(answer) && etag != hex_of(sum)) {
    return client_.said(request, Code::kCorrupt, "the store has other bytes than were sent");
  }
  return {};
}

Status S3Bucket::read(const std::string& key, uint64_t offset, MutableBytes into) {
  TRY(check_key(key));
  if (into.empty()) {
    const ObjectInfo found = TRY(info(key));
    if (offset <= found.bytes) return {};
    return Error(Code::kOutOfRange, fmt::format("{} has {} bytes", whole(key), found.bytes));
  }
  const uint64_t last = offset + into.size() - 1;
  if (last < offset) return Error(Code::kOutOfRange, "a range beyond all bounds");
  const S3Request request{.verb = "read",
                          .method = "GET",
                          .key = whole(key),
                          .headers = {{"range", fmt::format("bytes={}-{}", offset, last)}},
                          .into = into};
  const HttpAnswer answer = TRY(client_.call(request));
  if (answer.status != 206) {
    return client_.said(request, Code::kCorrupt, "the answer is not the range that was asked for");
  }
  const Result<ContentRange> range = parse_content_range(answer.header("content-range"));
  if (!range.ok() || range->first != offset) {
    return client_.said(request, Code::kCorrupt, "the answer is another range than was asked for");
  }
  if (answer.into_bytes == into.size()) return {};
  if (answer.into_bytes == range->last - range->first + 1) {
    return client_.said(request, Code::kOutOfRange,
                        fmt::format("the object ends at {}", range->last + 1));
  }
  return client_.said(request, Code::kCorrupt, "the answer is cut off");
}

Result<std::string> S3Bucket::get(const std::string& key, uint64_t limit_bytes) {
  TRY(check_key(key));
  // With a bound that leaves room for the words of a refusal.
  const S3Request request{.verb = "get",
                          .method = "GET",
                          .key = whole(key),
                          .body_bytes_max = std::max<uint64_t>(limit_bytes, 64 * kKiB)};
  HttpAnswer answer = TRY(client_.call(request));
  if (answer.cut || answer.body.size() > limit_bytes) {
    return client_.said(request, Code::kTooBig,
                        fmt::format("it has more than the {} bytes expected", limit_bytes));
  }
  const ByteView parts[] = {as_bytes(answer.body)};
  if (answer.body.size() <= kAtOnceBytesMax && is_md5_etag(answer) &&
      unquoted(answer.header("etag")) != hex_of(md5_of(parts))) {
    return client_.said(request, Code::kCorrupt, "the answer is not what its ETag says");
  }
  return std::move(answer.body);
}

Result<ObjectInfo> S3Bucket::info(const std::string& key) {
  TRY(check_key(key));
  const S3Request request{.verb = "look at", .method = "HEAD", .key = whole(key)};
  const HttpAnswer answer = TRY(client_.ask(request));
  if (answer.status / 100 == 4 && answer.status != 429) return info_by_get(key);
  if (!answer.is_success()) return client_.refusal(request, answer);
  const std::string& length = answer.header("content-length");
  ObjectInfo found{.key = key};
  const auto [end, error] =
      std::from_chars(length.data(), length.data() + length.size(), found.bytes);
  if (error != std::errc() || end != length.data() + length.size()) {
    return client_.said(request, Code::kCorrupt, "the answer does not say how long the object is");
  }
  return found;
}

// A refusal of HEAD has no words: whether the object or the bucket is missing, say. That of GET
// has.
Result<ObjectInfo> S3Bucket::info_by_get(const std::string& key) {
  const S3Request request{
      .verb = "look at", .method = "GET", .key = whole(key), .into = MutableBytes()};
  TRY(client_.call(request));
  return client_.said(request, Code::kUnavailable,
                      "it is there, but cannot be looked at; try later");
}

Status S3Bucket::remove(const std::string& key) {
  TRY(check_key(key));
  const Result<HttpAnswer> answer =
      client_.call({.verb = "remove", .method = "DELETE", .key = whole(key)});
  if (!answer.ok() && answer.code() != Code::kNotFound) return answer.error();
  return {};
}

Status S3Bucket::list(const std::string& prefix,
                      const std::function<bool(const ObjectInfo&)>& visit) {
  TRY(check_prefix(prefix));
  std::string token;
  std::string last;
  for (bool ended = false; !ended;) {
    std::string next = TRY(list_page(prefix, token, last, ended, visit));
    if (next.empty()) return {};
    if (next == token) {
      return Error(Code::kCorrupt,
                   fmt::format("the listing of {} at {} goes round in circles", whole(prefix),
                               client_.options().endpoint.to_string()));
    }
    token = std::move(next);
  }
  return {};
}

// Visits one page; gives the token of the next, empty after the last. `last` is the key visited
// before.
Result<std::string> S3Bucket::list_page(const std::string& prefix, const std::string& token,
                                        std::string& last, bool& ended,
                                        const std::function<bool(const ObjectInfo&)>& visit) {
  const std::string& own_prefix = client_.options().bucket.prefix;
  S3Request request{.verb = "list",
                    .method = "GET",
                    .query = {{"list-type", "2"}, {"max-keys", "1000"}, {"prefix", whole(prefix)}},
                    .body_bytes_max = kMaxXmlBytes};
  if (!token.empty()) request.query["continuation-token"] = token;
  const HttpAnswer answer = TRY(client_.call(request));
  Result<ListPage> page = parse_list_page(answer.body);
  if (!page.ok()) return client_.said(request, page.code(), page.error().context());
  for (ObjectInfo& each : page->objects) {
    if (!each.key.starts_with(whole(prefix)) || each.key <= last) {
      return client_.said(request, Code::kCorrupt, "the listing is not in order");
    }
    last = each.key;
    each.key.erase(0, own_prefix.size());
    // What others put there is none of our business.
    if (!check_key(each.key).ok()) continue;
    if (visit(each)) continue;
    ended = true;
    break;
  }
  return std::move(page->next_token);
}

}  // namespace nacre::bucket
