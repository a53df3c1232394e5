#include "bucket/s3_sums.h"

#include <fmt/format.h>

#include <algorithm>

#include "bucket/s3_answers.h"

namespace nacre::bucket {

bool is_md5_etag(const HttpAnswer& answer) {
  const std::string_view etag = unquoted(answer.header("etag"));
  if (answer.header("x-amz-server-side-encryption").starts_with("aws:kms")) return false;
  if (!answer.header("x-amz-server-side-encryption-customer-algorithm").empty()) return false;
  return etag.size() == 32 && etag.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string multipart_etag(std::span<const Md5> sums) {
  std::vector<ByteView> parts;
  for (const Md5& sum : sums) parts.push_back(std::as_bytes(std::span(sum)));
  return fmt::format("{}-{}", hex_of(md5_of(parts)), sums.size());
}

std::vector<ByteView> slice(std::span<const ByteView> parts, uint64_t offset, uint64_t length) {
  std::vector<ByteView> found;
  for (const ByteView part : parts) {
    if (offset >= part.size()) {
      offset -= part.size();
      continue;
    }
    const uint64_t count = std::min<uint64_t>(part.size() - offset, length);
    if (count == 0) break;
    found.push_back(part.subspan(offset, count));
    length -= count;
    offset = 0;
  }
  return found;
}

}  // namespace nacre::bucket
