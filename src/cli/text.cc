#include "cli/text.h"

#include <fmt/format.h>

#include <ctime>

#include "meta/moments.h"

namespace nacre::cli {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

uint8_t byte_at(std::string_view text, size_t at) { return static_cast<uint8_t>(text[at]); }

// Bytes of the UTF-8 letter that begins at `at`; 0 if none does.
size_t letter_bytes(std::string_view text, size_t at) {
  const uint8_t lead = byte_at(text, at);
  const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (lead > 0xF4 || length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte_at(text, at + i) & 0xC0) != 0x80) return 0;
  }
  const uint8_t second = length > 1 ? byte_at(text, at + 1) : 0;
  const bool too_long = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool no_letter = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return too_long || no_letter ? 0 : length;
}

// Those of ASCII, and the second set that begins with C2 in UTF-8.
bool is_control(std::string_view text, size_t at) {
  const uint8_t lead = byte_at(text, at);
  return lead < 0x20 || lead == 0x7F || (lead == 0xC2 && byte_at(text, at + 1) < 0xA0);
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string shown;
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = letter_bytes(bytes, at);
    if (length == 0 || is_control(bytes, at)) {
      for (size_t i = 0; i < std::max<size_t>(length, 1); ++i) {
        shown += fmt::format("\\x{:02x}", byte_at(bytes, at + i));
      }
    } else {
      shown += bytes.substr(at, length);
    }
    at += std::max<size_t>(length, 1);
  }
  return shown;
}

size_t width_of(std::string_view text) {
  size_t width = 0;
  for (const char byte : text) width += (static_cast<uint8_t>(byte) & 0xC0) != 0x80 ? 1 : 0;
  return width;
}

std::string local_time(Timestamp time) {
  const std::time_t seconds = time.ns / kSecondNs - (time.ns % kSecondNs < 0 ? 1 : 0);
  std::tm parts = {};
  ::localtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string duration_text(int64_t seconds) {
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {:02} min", seconds / 3600, seconds / 60 % 60);
}

// The words are those of "2 hours ago".
Result<uint64_t> parse_duration(const std::string& text) {
  const Timestamp now{int64_t{1} << 62};
  const auto when = meta::parse_when(text + " ago", now);
  if (!when.ok() || when->kind != meta::When::Kind::kTime || when->time > now) {
    return Error(Code::kInvalid,
                 fmt::format("'{}' is no length of time: write for example 30d, 12h or '2 weeks'",
                             printable(text)));
  }
  return static_cast<uint64_t>(now.ns - when->time.ns);
}

}  // namespace nacre::cli
