// Bytes for tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "os/random.h"

namespace nacre::bucket {

// The same for the same seed.
inline std::string noise(size_t bytes, uint64_t seed = 1) {
  os::SeededRandom random(seed);
  std::string text((bytes + 7) / 8 * 8, '\0');
  for (size_t at = 0; at < text.size(); at += 8) {
    const uint64_t number = random.next();
    std::memcpy(text.data() + at, &number, 8);
  }
  text.resize(bytes);
  return text;
}

}  // namespace nacre::bucket
