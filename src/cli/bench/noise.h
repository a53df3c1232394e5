// Content that neither compresses nor repeats: one random buffer whose pages are numbered anew for
// each use. Not safe to share between threads.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/units.h"

namespace nacre::cli::bench {

inline constexpr uint64_t kPageBytes = 4 * kKiB;
inline constexpr uint64_t kChunkBytes = kMiB;

class Noise {
 public:
  explicit Noise(uint64_t seed);
  // The first `length_bytes` (at most kChunkBytes) of the buffer, each page stamped with a number
  // no other page got. Valid until the next call.
  ByteView next(uint64_t length_bytes);

 private:
  std::string buffer_;
  uint64_t stamp_ = 0;
};

}  // namespace nacre::cli::bench
