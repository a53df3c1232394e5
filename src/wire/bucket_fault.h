// Damage as tests and fuzzers do it to what a bucket holds: changed bytes, and sums made good again
// so that what is behind them is tried, too.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "codec/checksum.h"
#include "codec/protection.h"

namespace nacre::wire {

// Ends with a good sum, if it has room for one.
inline std::string with_good_sum(std::string bytes) {
  if (bytes.size() < 8) return bytes;
  const uint64_t sum = codec::xxh64(as_bytes(bytes).first(bytes.size() - 8));
  std::memcpy(bytes.data() + bytes.size() - 8, &sum, sizeof(sum));
  return bytes;
}

// The frame with some bytes replaced and its sum made good again.
inline std::string patched_frame(std::string frame, size_t offset, std::string_view bytes) {
  frame.replace(offset, bytes.size(), bytes);
  return with_good_sum(std::move(frame));
}

inline std::string with_bit_flipped(std::string bytes, size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
  return bytes;
}

inline codec::Protection sealing_with(char letter) {
  return codec::Protection(
      codec::SealKey::from_bytes(as_bytes(std::string(codec::SealKey::kBytes, letter))).take());
}

}  // namespace nacre::wire
