#include "cli_bench/noise.h"

#include <cstring>

#include "base/check.h"
#include "os/random.h"

namespace nacre::cli::bench {

Noise::Noise(uint64_t seed) : buffer_(kChunkBytes, '\0') {
  os::SeededRandom random(seed);
  for (uint64_t at = 0; at < kChunkBytes; at += sizeof(uint64_t)) {
    const uint64_t word = random.next();
    std::memcpy(buffer_.data() + at, &word, sizeof(word));
  }
}

ByteView Noise::next(uint64_t length_bytes) {
  CHECK(length_bytes <= kChunkBytes);
  for (uint64_t at = 0; at + sizeof(stamp_) <= length_bytes; at += kPageBytes) {
    ++stamp_;
    std::memcpy(buffer_.data() + at, &stamp_, sizeof(stamp_));
  }
  return as_bytes(buffer_).first(length_bytes);
}

}  // namespace nacre::cli::bench
