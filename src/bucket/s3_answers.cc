#include "bucket/s3_answers.h"

#include <time.h>

#include <charconv>

#include "bucket/xml.h"

namespace nacre::bucket {
namespace {

Error wrong(std::string_view what) {
  return Error(Code::kCorrupt, "the store's answer is not what S3 says: " + std::string(what));
}

template <class Number>
Result<Number> parse_number(std::string_view text, std::string_view what) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return wrong(what);
  return number;
}

Result<bool> parse_truncated(const XmlElement& root) {
  const std::string_view text = root.text_of("IsTruncated");
  if (text == "true") return true;
  if (text == "false") return false;
  return wrong("it does not say whether it is truncated");
}

Result<XmlElement> parse_root(std::string_view body, std::string_view name) {
  XmlElement root = TRY(parse_xml(body));
  if (root.name != name) return wrong("it is no " + std::string(name));
  return root;
}

}  // namespace

Result<ListPage> parse_list_page(std::string_view body) {
  const XmlElement root = TRY(parse_root(body, "ListBucketResult"));
  ListPage page;
  for (const XmlElement& each : root.children) {
    if (each.name != "Contents") continue;
    const std::string_view key = each.text_of("Key");
    if (key.empty()) return wrong("an object has no key");
    page.objects.push_back({std::string(key), TRY(parse_number<uint64_t>(
                                                  each.text_of("Size"), "an object has no size"))});
  }
  const bool truncated = TRY(parse_truncated(root));
  if (truncated) page.next_token = root.text_of("NextContinuationToken");
  if (truncated && page.next_token.empty()) return wrong("a truncated listing cannot be continued");
  return page;
}

Result<std::string> parse_upload_id(std::string_view body) {
  const XmlElement root = TRY(parse_root(body, "InitiateMultipartUploadResult"));
  const std::string_view id = root.text_of("UploadId");
  if (id.empty()) return wrong("an upload has no id");
  return std::string(id);
}

Result<std::optional<std::string>> parse_completed(std::string_view body) {
  const XmlElement root = TRY(parse_xml(body));
  if (root.name == "Error") return std::optional<std::string>();
  const std::string_view etag = unquoted(root.text_of("ETag"));
  if (root.name != "CompleteMultipartUploadResult" || etag.empty()) {
    return wrong("a completed upload has no ETag");
  }
  return std::optional(std::string(etag));
}

Result<UploadPage> parse_upload_page(std::string_view body) {
  const XmlElement root = TRY(parse_root(body, "ListMultipartUploadsResult"));
  UploadPage page;
  for (const XmlElement& each : root.children) {
    if (each.name != "Upload") continue;
    Upload upload{std::string(each.text_of("Key")), std::string(each.text_of("UploadId")),
                  TRY(parse_iso_time(each.text_of("Initiated")))};
    if (upload.key.empty() || upload.id.empty()) return wrong("an upload has no key or no id");
    page.uploads.push_back(std::move(upload));
  }
  page.more = TRY(parse_truncated(root));
  page.next_key = root.text_of("NextKeyMarker");
  page.next_id = root.text_of("NextUploadIdMarker");
  if (page.more && page.next_key.empty()) return wrong("a truncated listing cannot be continued");
  return page;
}

Result<int64_t> parse_iso_time(std::string_view text) {
  constexpr std::string_view kWhat = "a time is none";
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() < kForm.size() + 1 || text.back() != 'Z') return wrong(kWhat);
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !digit : text[i] != kForm[i]) return wrong(kWhat);
  }
  const auto number = [&](size_t at, size_t length) {
    return parse_number<int>(text.substr(at, length), kWhat);
  };
  tm parts = {};
  parts.tm_year = TRY(number(0, 4)) - 1900;
  parts.tm_mon = TRY(number(5, 2)) - 1;
  parts.tm_mday = TRY(number(8, 2));
  parts.tm_hour = TRY(number(11, 2));
  parts.tm_min = TRY(number(14, 2));
  parts.tm_sec = TRY(number(17, 2));
  return int64_t{::timegm(&parts)};
}

std::string_view unquoted(std::string_view etag) {
  if (etag.size() < 2 || etag.front() != '"' || etag.back() != '"') return etag;
  return etag.substr(1, etag.size() - 2);
}

Result<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  constexpr std::string_view kWhat = "a range is none";
  const size_t dash = text.find('-');
  const size_t slash = text.find('/');
  if (!text.starts_with(kUnit) || slash == std::string_view::npos || dash > slash) {
    return wrong(kWhat);
  }
  ContentRange range;
  range.first = TRY(parse_number<uint64_t>(text.substr(kUnit.size(), dash - kUnit.size()), kWhat));
  range.last = TRY(parse_number<uint64_t>(text.substr(dash + 1, slash - dash - 1), kWhat));
  if (range.last < range.first) return wrong(kWhat);
  return range;
}

}  // namespace nacre::bucket
