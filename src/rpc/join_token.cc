#include "rpc/join_token.h"

#include <sodium.h>

#include <array>

#include "base/check.h"
#include "wire/cursor.h"

namespace nacre::rpc {
namespace {

constexpr std::string_view kPrefix = "nacre1.";
constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr size_t kFingerprintBytes = 32;
constexpr size_t kSealedBytes = 16 + 1 + 8 + 8 + kFingerprintBytes;
constexpr size_t kTokenBytes = kSealedBytes + crypto_auth_BYTES;
constexpr int64_t kSecond = 1'000'000'000;
static_assert(kTokenKeyBytes == crypto_auth_KEYBYTES);

const unsigned char* unsigned_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* unsigned_bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

Result<std::string> decode(std::string_view text) {
  const Error wrong(Code::kInvalid,
                    "that is no join token; `nacre node token` on a node prints one");
  if (!text.starts_with(kPrefix)) return wrong;
  text.remove_prefix(kPrefix.size());
  std::string bytes(kTokenBytes, '\0');
  size_t size = 0;
  const int failed = sodium_base642bin(unsigned_bytes(bytes), bytes.size(), text.data(),
                                       text.size(), nullptr, &size, nullptr, kVariant);
  if (failed != 0 || size != kTokenBytes) return wrong;
  return bytes;
}

}  // namespace

std::string make_token_key() {
  CHECK(sodium_init() >= 0);
  std::string key(kTokenKeyBytes, '\0');
  randombytes_buf(key.data(), key.size());
  return key;
}

std::string seal_token(const JoinToken& token, const std::string& key) {
  CHECK(sodium_init() >= 0);
  CHECK(key.size() == kTokenKeyBytes && token.ca_fingerprint.size() == kFingerprintBytes);
  std::string bytes;
  wire::Writer out(bytes);
  out.id(token.cluster);
  out.u8(token.role == Role::kNode ? 1 : 0);
  out.u64(static_cast<uint64_t>(token.expires.ns / kSecond));
  std::array<std::byte, 8> number;
  randombytes_buf(number.data(), number.size());
  out.raw(number);
  out.raw(as_bytes(token.ca_fingerprint));
  bytes.resize(kTokenBytes);
  crypto_auth(unsigned_bytes(bytes) + kSealedBytes, unsigned_bytes(bytes), kSealedBytes,
              unsigned_bytes(key));
  std::string text(sodium_base64_encoded_len(kTokenBytes, kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), unsigned_bytes(bytes), bytes.size(), kVariant);
  text.pop_back();  // the end mark
  return std::string(kPrefix) + text;
}

Result<JoinToken> read_token(std::string_view text) {
  const std::string bytes = TRY(decode(text));
  wire::Reader in(bytes);
  JoinToken token{.cluster = in.id<wire::ClusterId>()};
  token.role = in.u8() == 1 ? Role::kNode : Role::kClient;
  const uint64_t seconds = in.u64();
  token.expires = {static_cast<int64_t>(seconds % (INT64_MAX / kSecond)) * kSecond};
  in.skip(8);
  token.ca_fingerprint = as_text(in.raw(kFingerprintBytes));
  return token;
}

Result<JoinToken> open_token(std::string_view text, const std::string& key, wire::ClusterId cluster,
                             Timestamp now) {
  const std::string bytes = TRY(decode(text));
  const JoinToken token = TRY(read_token(text));
  if (token.cluster != cluster) {
    return Error(Code::kAccess, "the join token is of another cluster");
  }
  CHECK(sodium_init() >= 0);
  CHECK(key.size() == kTokenKeyBytes);
  if (crypto_auth_verify(unsigned_bytes(bytes) + kSealedBytes, unsigned_bytes(bytes), kSealedBytes,
                         unsigned_bytes(key)) != 0) {
    return Error(Code::kAccess, "the join token was not made by this cluster, or was changed");
  }
  if (token.expires < now) {
    return Error(Code::kAccess,
                 "the join token has expired; `nacre node token` on a node prints a new one");
  }
  return token;
}

}  // namespace nacre::rpc
