#include "bucket/s3_multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "bucket/s3_answers.h"
#include "bucket/s3_sums.h"
#include "bucket/xml.h"
#include "os/thread.h"

namespace nacre::bucket {
namespace {

std::string escaped(std::string_view text) {
  std::string xml;
  for (const char c : text) {
    if (c == '&') {
      xml += "&amp;";
    } else if (c == '<') {
      xml += "&lt;";
    } else {
      xml += c;
    }
  }
  return xml;
}

}  // namespace

MultipartUpload::MultipartUpload(S3Bucket& bucket, const std::string& key,
                                 std::span<const ByteView> parts)
    : bucket_(bucket), key_(key), bytes_(parts) {
  for (const ByteView part : parts) total_ += part.size();
  const size_t count = (total_ + kPartBytes - 1) / kPartBytes;
  sums_.resize(count);
  etags_.resize(count);
}

S3Request MultipartUpload::request(const char* method, Query query) const {
  return {.verb = "put", .method = method, .key = bucket_.whole(key_), .query = std::move(query)};
}

Status MultipartUpload::run() {
  id_ = TRY(begin());
  Status sent = send_parts();
  if (sent.ok()) {
    const Result<HttpAnswer> completed = complete();
    sent = completed.ok() ? verify(*completed) : Status(completed.error());
  }
  if (sent.ok() || sent.code() == Code::kCancelled) return sent;
  // What made it fail matters more than how this ends.
  (void)bucket_.abort_upload(bucket_.whole(key_), id_);
  return sent;
}

Result<std::string> MultipartUpload::begin() {
  const S3Request begins = [&] {
    S3Request each = request("POST", {{"uploads", ""}});
    each.body.emplace();
    return each;
  }();
  const HttpAnswer answer = TRY(bucket_.client_.call(begins));
  Result<std::string> id = parse_upload_id(answer.body);
  if (!id.ok()) return bucket_.client_.said(begins, id.code(), id.error().context());
  return id;
}

Status MultipartUpload::send_parts() {
  {
    std::vector<os::Thread> threads;
    const size_t count = std::min(bucket_.client_.options().parallel_parts, sums_.size());
    for (size_t i = 1; i < count; ++i) threads.emplace_back("upload", [this] { send_some(); });
    send_some();
  }
  const os::Lock lock(mutex_);
  return outcome_;
}

void MultipartUpload::send_some() {
  for (;;) {
    size_t number = 0;
    {
      const os::Lock lock(mutex_);
      if (!outcome_.ok() || next_ == sums_.size()) return;
      number = next_++;
    }
    Status sent = send(number);
    if (sent.ok()) continue;
    const os::Lock lock(mutex_);
    if (outcome_.ok()) outcome_ = std::move(sent);
  }
}

Status MultipartUpload::send(size_t number) {
  const uint64_t offset = number * kPartBytes;
  const std::vector<ByteView> part = slice(bytes_, offset, std::min(kPartBytes, total_ - offset));
  sums_[number] = md5_of(part);
  S3Request sends = request("PUT", {{"partNumber", std::to_string(number + 1)}, {"uploadId", id_}});
  sends.headers["content-md5"] = base64_of(sums_[number]);
  sends.body = part;
  const HttpAnswer answer = TRY(bucket_.client_.call(sends));
  etags_[number] = answer.header("etag");
  if (etags_[number].empty()) {
    return bucket_.client_.said(sends, Code::kCorrupt, "the answer has no ETag");
  }
  if (is_md5_etag(answer) && unquoted(etags_[number]) != hex_of(sums_[number])) {
    return bucket_.client_.said(sends, Code::kCorrupt, "the store has other bytes than were sent");
  }
  return {};
}

Result<HttpAnswer> MultipartUpload::complete() {
  std::string xml = "<CompleteMultipartUpload>";
  for (size_t i = 0; i < etags_.size(); ++i) {
    xml += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1,
                       escaped(etags_[i]));
  }
  xml += "</CompleteMultipartUpload>";
  const ByteView parts[] = {as_bytes(xml)};
  S3Request completes = request("POST", {{"uploadId", id_}});
  completes.headers["content-type"] = "application/xml";
  completes.body = parts;
  return bucket_.client_.call(completes);
}

Status MultipartUpload::verify(const HttpAnswer& completed) {
  const S3Request completes = request("POST", {});
  const auto etag = parse_completed(completed.body);
  if (!etag.ok()) return bucket_.client_.said(completes, etag.code(), etag.error().context());
  if (!*etag) return bucket_.client_.refusal(completes, completed);
  if (bucket_.has_own_etags_) return {};
  const bool of_parts = (*etag)->find('-') != std::string::npos;
  if (**etag == (of_parts ? multipart_etag(sums_) : hex_of(md5_of(bytes_)))) return {};
  // Either it went wrong, or this store's ETags are of another kind: what it has tells.
  TRY(bucket_.expect_stored(key_, bytes_));
  bucket_.has_own_etags_ = true;
  return {};
}

// Reads the object and compares it. kCorrupt when it is another.
Status S3Bucket::expect_stored(const std::string& key, std::span<const ByteView> parts) {
  uint64_t total = 0;
  for (const ByteView part : parts) total += part.size();
  const Error other(Code::kCorrupt,
                    fmt::format("put s3://{}/{} at {}: the store has other bytes than were sent",
                                client_.options().bucket.bucket, whole(key),
                                client_.options().endpoint.to_string()));
  if (TRY(info(key)).bytes != total) return other;
  std::string buffer;
  for (uint64_t offset = 0; offset < total; offset += buffer.size()) {
    buffer.resize(std::min(kPartBytes, total - offset));
    TRY(read(key, offset, as_writable_bytes(buffer)));
    size_t at = 0;
    for (const ByteView part : slice(parts, offset, buffer.size())) {
      if (std::memcmp(part.data(), buffer.data() + at, part.size()) != 0) return other;
      at += part.size();
    }
  }
  return {};
}

Status S3Bucket::abort_upload(const std::string& whole_key, const std::string& id) {
  const Result<HttpAnswer> answer = client_.call({.verb = "end the upload of",
                                                  .method = "DELETE",
                                                  .key = whole_key,
                                                  .query = {{"uploadId", id}}});
  if (!answer.ok()) return answer.error();
  return {};
}

Result<size_t> S3Bucket::abort_stale_uploads(const std::string& prefix, std::chrono::seconds age) {
  const int64_t before_s = client_.options().clock->now().ns / 1'000'000'000 - age.count();
  S3Request request{.verb = "list uploads of",
                    .method = "GET",
                    .query = {{"uploads", ""}, {"prefix", whole(prefix)}},
                    .body_bytes_max = kMaxXmlBytes};
  std::vector<Upload> stale;
  for (bool more = true; more;) {
    const HttpAnswer answer = TRY(client_.call(request));
    Result<UploadPage> page = parse_upload_page(answer.body);
    if (!page.ok()) return client_.said(request, page.code(), page.error().context());
    for (Upload& each : page->uploads) {
      if (each.began_s <= before_s && each.key.starts_with(whole(prefix))) {
        stale.push_back(std::move(each));
      }
    }
    more = page->more && (page->next_key != request.query["key-marker"] ||
                          page->next_id != request.query["upload-id-marker"]);
    request.query["key-marker"] = page->next_key;
    request.query["upload-id-marker"] = page->next_id;
  }
  for (const Upload& each : stale) TRY(abort_upload(each.key, each.id));
  return stale.size();
}

}  // namespace nacre::bucket
