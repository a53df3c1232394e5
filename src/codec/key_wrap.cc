#include "codec/key_wrap.h"

#include <sodium.h>

#include "base/check.h"

namespace nacre::codec {
namespace {

static_assert(sizeof(WrappedKey::salt) == crypto_pwhash_argon2id_SALTBYTES);
static_assert(kMinCost.passes == crypto_pwhash_argon2id_OPSLIMIT_MIN);
static_assert(kMinCost.memory_kib * kKiB == crypto_pwhash_argon2id_MEMLIMIT_MIN);

using KeyBytes = std::array<unsigned char, SealKey::kBytes>;

const unsigned char* unsigned_bytes(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

SealKey seal_key_of(KeyBytes& bytes) {
  Result<SealKey> key = SealKey::from_bytes(std::as_bytes(std::span(bytes)));
  sodium_memzero(bytes.data(), bytes.size());
  return key.take();
}

bool is_possible(PassphraseCost cost) {
  return cost.passes >= kMinCost.passes && cost.passes <= kMaxCost.passes &&
         cost.memory_kib >= kMinCost.memory_kib && cost.memory_kib <= kMaxCost.memory_kib;
}

Result<SealKey> key_of_passphrase(ByteView passphrase, const WrappedKey& wrapped) {
  if (passphrase.empty()) return Error(Code::kInvalid, "the passphrase is empty");
  KeyBytes bytes;
  if (crypto_pwhash(bytes.data(), bytes.size(), reinterpret_cast<const char*>(passphrase.data()),
                    passphrase.size(), unsigned_bytes(wrapped.salt), wrapped.cost.passes,
                    wrapped.cost.memory_kib * kKiB, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return Error(Code::kOverloaded, "to try the passphrase takes " +
                                        format_size(wrapped.cost.memory_kib * kKiB) +
                                        " of memory, which cannot be had now");
  }
  return seal_key_of(bytes);
}

// BLAKE2b-256 of the file, keyed by the salt.
Result<SealKey> key_of_file(ByteView file, const WrappedKey& wrapped) {
  if (file.size() < kMinKeyFileBytes || file.size() > kMaxKeyFileBytes) {
    return Error(Code::kInvalid,
                 "a key file has 32 bytes to 64 KiB, not " + std::to_string(file.size()));
  }
  KeyBytes bytes;
  crypto_generichash_blake2b(bytes.data(), bytes.size(), unsigned_bytes(file), file.size(),
                             unsigned_bytes(wrapped.salt), wrapped.salt.size());
  return seal_key_of(bytes);
}

WrappedKey salted(KeyWrapping wrapping, PassphraseCost cost) {
  CHECK(sodium_init() >= 0);
  WrappedKey wrapped{.wrapping = wrapping, .cost = cost};
  randombytes_buf(wrapped.salt.data(), wrapped.salt.size());
  return wrapped;
}

Result<SealKey> unwrap(const WrappedKey& wrapped, ByteView associated, const SealKey& outer,
                       const char* refusal) {
  std::array<std::byte, SealKey::kBytes> bytes;
  if (!Sealer(outer).open(wrapped.sealed, associated, bytes).ok()) {
    return Error(Code::kAccess, refusal);
  }
  Result<SealKey> key = SealKey::from_bytes(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  return key;
}

}  // namespace

Result<WrappedKey> wrap_by_passphrase(const SealKey& key, ByteView associated, ByteView passphrase,
                                      PassphraseCost cost) {
  if (!is_possible(cost)) {
    return Error(Code::kInvalid, "a passphrase may cost 1 to 16 passes over 8 KiB to 1 GiB");
  }
  WrappedKey wrapped = salted(KeyWrapping::kPassphrase, cost);
  const SealKey outer = TRY(key_of_passphrase(passphrase, wrapped));
  Sealer(outer).seal(key.bytes(), associated, wrapped.sealed);
  return wrapped;
}

Result<WrappedKey> wrap_by_key_file(const SealKey& key, ByteView associated, ByteView file) {
  WrappedKey wrapped = salted(KeyWrapping::kKeyFile, {});
  const SealKey outer = TRY(key_of_file(file, wrapped));
  Sealer(outer).seal(key.bytes(), associated, wrapped.sealed);
  return wrapped;
}

Result<SealKey> unwrap_by_passphrase(const WrappedKey& wrapped, ByteView associated,
                                     ByteView passphrase) {
  if (wrapped.wrapping != KeyWrapping::kPassphrase) {
    return Error(Code::kInvalid, "the key is wrapped by a key file, not by a passphrase");
  }
  if (!is_possible(wrapped.cost)) {
    return Error(Code::kCorrupt, "the key asks for more than 16 passes over 1 GiB, or for none");
  }
  CHECK(sodium_init() >= 0);
  const SealKey outer = TRY(key_of_passphrase(passphrase, wrapped));
  return unwrap(wrapped, associated, outer, "the passphrase is wrong");
}

Result<SealKey> unwrap_by_key_file(const WrappedKey& wrapped, ByteView associated, ByteView file) {
  if (wrapped.wrapping != KeyWrapping::kKeyFile) {
    return Error(Code::kInvalid, "the key is wrapped by a passphrase, not by a key file");
  }
  CHECK(sodium_init() >= 0);
  const SealKey outer = TRY(key_of_file(file, wrapped));
  return unwrap(wrapped, associated, outer, "the key file is not the one of this volume");
}

}  // namespace nacre::codec
