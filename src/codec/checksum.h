// XXH64, the checksum of everything Nacre stores. Pure functions, safe from any thread. It finds
// damage by accident, not by intent: sealing is what protects against an attacker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace nacre::codec {

uint64_t xxh64(ByteView bytes, uint64_t seed = 0);

// The same sum over bytes that come in pieces: however they are cut, digest() is what xxh64()
// gives for their concatenation. One thread at a time; copyable, so that a prefix can be shared.
class Xxh64Stream {
 public:
  explicit Xxh64Stream(uint64_t seed = 0);
  void update(ByteView bytes);
  // Of everything so far; more may follow.
  uint64_t digest() const;

 private:
  alignas(8) std::array<std::byte, 88> state_;  // XXH64_state_t
};

}  // namespace nacre::codec
