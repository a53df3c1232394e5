// The key of a volume, wrapped: sealed under a key that a passphrase or the bytes of a key file
// give, so that it may lie beside what it opens. To change the passphrase is to wrap the same key
// anew; nothing else has to be written again. Pure but for randomness; safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/units.h"
#include "codec/seal.h"

namespace nacre::codec {

// What one try of a passphrase costs (Argon2id, RFC 9106).
struct PassphraseCost {
  uint32_t passes = 0;
  uint32_t memory_kib = 0;
  friend bool operator==(const PassphraseCost&, const PassphraseCost&) = default;
};
// libsodium's "interactive" and "moderate": 64 MiB and less than a second, 256 MiB and about one.
inline constexpr PassphraseCost kInteractiveCost{.passes = 2, .memory_kib = 64 << 10};
inline constexpr PassphraseCost kModerateCost{.passes = 3, .memory_kib = 256 << 10};
// The most that anybody can be made to take by what is stored.
inline constexpr PassphraseCost kMaxCost{.passes = 16, .memory_kib = 1 << 20};
inline constexpr PassphraseCost kMinCost{.passes = 1, .memory_kib = 8};

inline constexpr size_t kMinKeyFileBytes = 32;
inline constexpr size_t kMaxKeyFileBytes = 64 * kKiB;

// Stored: values never change their meaning.
enum class KeyWrapping : uint8_t {
  kPassphrase = 1,
  kKeyFile = 2,
};

struct WrappedKey {
  KeyWrapping wrapping = KeyWrapping::kPassphrase;
  PassphraseCost cost = {};  // of a passphrase; else zero
  std::array<std::byte, 16> salt = {};
  std::array<std::byte, SealKey::kBytes + Sealer::kOverheadBytes> sealed = {};
  friend bool operator==(const WrappedKey&, const WrappedKey&) = default;
};

// `associated` is whose key it is; unwrapping must be told the same. kInvalid for an empty
// passphrase or a cost out of bounds; kOverloaded when the machine does not have the memory.
Result<WrappedKey> wrap_by_passphrase(const SealKey& key, ByteView associated, ByteView passphrase,
                                      PassphraseCost cost = kModerateCost);
// `file` is all of the file: kMinKeyFileBytes to kMaxKeyFileBytes that nobody can guess, else
// kInvalid.
Result<WrappedKey> wrap_by_key_file(const SealKey& key, ByteView associated, ByteView file);

// kAccess when the passphrase or key file is another one, or what is stored was changed; kInvalid
// when the key is wrapped the other way, or for a passphrase or file that could wrap none; kCorrupt
// when the stored cost is out of bounds, before anything is spent.
Result<SealKey> unwrap_by_passphrase(const WrappedKey& wrapped, ByteView associated,
                                     ByteView passphrase);
Result<SealKey> unwrap_by_key_file(const WrappedKey& wrapped, ByteView associated, ByteView file);

}  // namespace nacre::codec
