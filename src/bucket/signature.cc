#include "bucket/signature.h"

#include <fmt/format.h>
#include <time.h>

#include <span>

#include "bucket/digest.h"

namespace nacre::bucket {
namespace {

std::string_view text_of(const Sha256& sum) {
  return {reinterpret_cast<const char*>(sum.data()), sum.size()};
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

std::string sha256_hex(std::string_view text) {
  const ByteView parts[] = {as_bytes(text)};
  return hex_of(sha256_of(parts));
}

}  // namespace

std::string authorization(const Signer& signer, const ToSign& request) {
  std::string names;
  std::string lines;
  for (const auto& [name, value] : request.headers) {
    names += (names.empty() ? "" : ";") + name;
    lines += name + ":" + value + "\n";
  }
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path,
                                            request.query, lines, names, request.payload_sha256);
  const std::string day = request.time.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/s3/aws4_request", day, signer.region);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", request.time, scope, sha256_hex(canonical));

  Sha256 key = hmac_sha256("AWS4" + signer.secret, day);
  for (const std::string_view step : {std::string_view(signer.region), std::string_view("s3"),
                                      std::string_view("aws4_request")}) {
    key = hmac_sha256(text_of(key), step);
  }
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}",
                     signer.key_id, scope, names, hex_of(hmac_sha256(text_of(key), to_sign)));
}

std::string sign_time(int64_t unix_seconds) {
  const time_t seconds = unix_seconds;
  tm parts = {};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string percent_encode(std::string_view text, Slashes slashes) {
  std::string encoded;
  for (const char c : text) {
    if (is_plain(c) || (c == '/' && slashes == Slashes::kKeep)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string encode_query(const Query& query) {
  std::string encoded;
  for (const auto& [name, value] : query) {
    encoded +=
        fmt::format("{}{}={}", encoded.empty() ? "" : "&", percent_encode(name, Slashes::kEncode),
                    percent_encode(value, Slashes::kEncode));
  }
  return encoded;
}

}  // namespace nacre::bucket
