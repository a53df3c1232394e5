#include "bucket/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

#include "base/check.h"

namespace nacre::bucket {
namespace {

// OpenSSL fails here only without memory, or without the algorithm at all.
template <class Sum>
Sum sum_of(std::span<const ByteView> parts, const EVP_MD* algorithm) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1);
  for (const ByteView part : parts) {
    CHECK(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  }
  Sum sum = {};
  CHECK(EVP_DigestFinal_ex(context.get(), sum.data(), nullptr) == 1);
  return sum;
}

}  // namespace

Md5 md5_of(std::span<const ByteView> parts) { return sum_of<Md5>(parts, EVP_md5()); }

Sha256 sha256_of(std::span<const ByteView> parts) { return sum_of<Sha256>(parts, EVP_sha256()); }

Sha256 hmac_sha256(std::string_view key, std::string_view text) {
  Sha256 sum = {};
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), sum.data(),
             nullptr) != nullptr);
  return sum;
}

std::string hex_of(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string base64_of(std::span<const unsigned char> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

}  // namespace nacre::bucket
