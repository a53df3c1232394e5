// Sizes in bytes, and times in nanoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre {

inline constexpr uint64_t kKiB = 1024;
inline constexpr uint64_t kMiB = 1024 * kKiB;
inline constexpr uint64_t kGiB = 1024 * kMiB;
inline constexpr uint64_t kTiB = 1024 * kGiB;

constexpr uint64_t round_up(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}
constexpr uint64_t round_down(uint64_t value, uint64_t unit) { return value / unit * unit; }

// Nanoseconds since 1970-01-01T00:00:00Z; negative before.
struct Timestamp {
  int64_t ns = 0;
  friend auto operator<=>(Timestamp, Timestamp) = default;
};

// "4MiB", "1.5 GiB", "20G", "512" → bytes. K, M, G, T, with or without iB or B, are powers of 1024.
Result<uint64_t> parse_size(std::string_view text);
// Bytes → "1.5 GiB".
std::string format_size(uint64_t bytes);

}  // namespace nacre
