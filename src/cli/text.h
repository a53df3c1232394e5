// Text for people: escaped, measured, formatted. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace nacre::cli {

// Bytes as they may be shown: control characters, and what is no UTF-8, as \xHH. Names come from
// anybody, and a terminal obeys what it is sent.
std::string printable(std::string_view bytes);
// Columns that printable text takes, as far as its letters are one column wide.
size_t width_of(std::string_view text);

// In local time and to the second: "2026-03-01 12:30:05".
std::string local_time(Timestamp time);
// 59 → "59 s", 3661 → "1 h 01 min".
std::string duration_text(int64_t seconds);
// "30d", "12 hours" → nanoseconds; kInvalid says what may be written.
Result<uint64_t> parse_duration(const std::string& text);

}  // namespace nacre::cli
