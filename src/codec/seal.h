// Sealing: bytes that nobody without the key can read, or change unnoticed. XChaCha20-Poly1305
// (draft-irtf-cfrg-xchacha) of libsodium, with a random nonce for each piece, so that one key
// serves for any number of pieces. Safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <iosfwd>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace nacre::codec {

// 32 secret bytes. Each copy is overwritten when it goes; none is ever printed.
class SealKey {
 public:
  static constexpr size_t kBytes = 32;

  static SealKey random();
  // kInvalid unless there are kBytes of them.
  static Result<SealKey> from_bytes(ByteView bytes);
  SealKey(const SealKey&) = default;
  SealKey(SealKey&&) = default;
  SealKey& operator=(const SealKey&) = default;
  SealKey& operator=(SealKey&&) = default;
  ~SealKey();

  // Valid as long as the key.
  ByteView bytes() const { return bytes_; }
  // Takes the same time whatever the keys are.
  friend bool operator==(const SealKey& a, const SealKey& b);
  friend std::ostream& operator<<(std::ostream&, const SealKey&) = delete;

 private:
  SealKey() = default;
  std::array<std::byte, kBytes> bytes_ = {};
};

class Sealer {
 public:
  // The nonce of 24 bytes in front and the tag of 16 behind.
  static constexpr size_t kOverheadBytes = 40;

  explicit Sealer(const SealKey& key);

  // Fills `into`, which has plain.size() + kOverheadBytes and does not overlap `plain`. What is
  // `associated` is not stored: open() must be told the same.
  void seal(ByteView plain, ByteView associated, MutableBytes into) const;
  // Fills `into`, which does not overlap `sealed`. kCorrupt when `sealed` does not hold just as
  // many bytes, was changed, or was sealed under another key or with other associated data; then
  // `into` holds nothing of it.
  Status open(ByteView sealed, ByteView associated, MutableBytes into) const;

 private:
  SealKey key_;
};

using Fingerprint = Id128<struct FingerprintTag>;

// BLAKE2b-128 of the concatenation of the parts, however they are cut, under a secret key of 16 to
// 64 bytes: equal hashes mean equal bytes, and nobody without the key can tell whose hash one is.
Fingerprint keyed_hash(ByteView key, std::span<const ByteView> parts);

}  // namespace nacre::codec
