#include "codec/seal.h"

#include <sodium.h>

#include <algorithm>

#include "base/check.h"

namespace nacre::codec {
namespace {

constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(Sealer::kOverheadBytes == kNonceBytes + kTagBytes);
static_assert(SealKey::kBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* unsigned_bytes(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* unsigned_bytes(MutableBytes bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

uint64_t big_endian(const unsigned char* bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(value); ++i) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

SealKey SealKey::random() {
  CHECK(sodium_init() >= 0);
  SealKey key;
  randombytes_buf(key.bytes_.data(), kBytes);
  return key;
}

Result<SealKey> SealKey::from_bytes(ByteView bytes) {
  if (bytes.size() != kBytes) {
    return Error(Code::kInvalid, "a key has 32 bytes, not " + std::to_string(bytes.size()));
  }
  SealKey key;
  std::ranges::copy(bytes, key.bytes_.begin());
  return key;
}

SealKey::~SealKey() { sodium_memzero(bytes_.data(), kBytes); }

bool operator==(const SealKey& a, const SealKey& b) {
  return sodium_memcmp(a.bytes_.data(), b.bytes_.data(), SealKey::kBytes) == 0;
}

Sealer::Sealer(const SealKey& key) : key_(key) { CHECK(sodium_init() >= 0); }

void Sealer::seal(ByteView plain, ByteView associated, MutableBytes into) const {
  CHECK(into.size() == plain.size() + kOverheadBytes);
  const MutableBytes nonce = into.first(kNonceBytes);
  randombytes_buf(nonce.data(), nonce.size());
  CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(
            unsigned_bytes(into.subspan(kNonceBytes)), nullptr, unsigned_bytes(plain), plain.size(),
            unsigned_bytes(associated), associated.size(), nullptr, unsigned_bytes(nonce),
            unsigned_bytes(key_.bytes())) == 0);
}

Status Sealer::open(ByteView sealed, ByteView associated, MutableBytes into) const {
  if (sealed.size() >= kOverheadBytes && sealed.size() - kOverheadBytes == into.size() &&
      crypto_aead_xchacha20poly1305_ietf_decrypt(
          unsigned_bytes(into), nullptr, nullptr, unsigned_bytes(sealed.subspan(kNonceBytes)),
          sealed.size() - kNonceBytes, unsigned_bytes(associated), associated.size(),
          unsigned_bytes(sealed.first(kNonceBytes)), unsigned_bytes(key_.bytes())) == 0) {
    return {};
  }
  sodium_memzero(into.data(), into.size());
  return Error(Code::kCorrupt,
               std::to_string(sealed.size()) +
                   " sealed bytes are damaged, not in their place, or sealed under another key");
}

Fingerprint keyed_hash(ByteView key, std::span<const ByteView> parts) {
  CHECK(sodium_init() >= 0);
  CHECK(key.size() >= crypto_generichash_blake2b_KEYBYTES_MIN &&
        key.size() <= crypto_generichash_blake2b_KEYBYTES_MAX);
  unsigned char digest[16];
  crypto_generichash_blake2b_state state;
  crypto_generichash_blake2b_init(&state, unsigned_bytes(key), key.size(), sizeof(digest));
  for (const ByteView part : parts) {
    crypto_generichash_blake2b_update(&state, unsigned_bytes(part), part.size());
  }
  crypto_generichash_blake2b_final(&state, digest, sizeof(digest));
  sodium_memzero(&state, sizeof(state));
  return {big_endian(digest), big_endian(digest + 8)};
}

}  // namespace nacre::codec
