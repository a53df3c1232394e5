#include "codec/checksum.h"

#define XXH_STATIC_LINKING_ONLY  // for the size of XXH64_state_t
#include <xxhash.h>

namespace nacre::codec {
namespace {

static_assert(sizeof(XXH64_state_t) == sizeof(Xxh64Stream));
static_assert(alignof(XXH64_state_t) <= alignof(Xxh64Stream));

XXH64_state_t* state_of(std::array<std::byte, 88>& bytes) {
  return reinterpret_cast<XXH64_state_t*>(bytes.data());
}

}  // namespace

uint64_t xxh64(ByteView bytes, uint64_t seed) { return XXH64(bytes.data(), bytes.size(), seed); }

Xxh64Stream::Xxh64Stream(uint64_t seed) { XXH64_reset(state_of(state_), seed); }

void Xxh64Stream::update(ByteView bytes) {
  if (bytes.empty()) return;
  XXH64_update(state_of(state_), bytes.data(), bytes.size());
}

uint64_t Xxh64Stream::digest() const {
  return XXH64_digest(reinterpret_cast<const XXH64_state_t*>(state_.data()));
}

}  // namespace nacre::codec
