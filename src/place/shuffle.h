// Random choices from an os::Random.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "os/random.h"

namespace nacre::place {

// 0 to bound - 1, each as likely as the others but for one part in 2^64 / bound.
inline uint64_t random_below(os::Random& random, uint64_t bound) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(random.next()) * bound >> 64);
}

template <class T>
void shuffle(std::span<T> elements, os::Random& random) {
  for (size_t i = elements.size(); i > 1; --i) {
    std::swap(elements[i - 1], elements[random_below(random, i)]);
  }
}

}  // namespace nacre::place
