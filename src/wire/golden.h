// Bytes as tests write them down: hexadecimal digits, with spaces for the eye.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace nacre::wire {

inline std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

inline std::string without_spaces(std::string_view text) {
  std::string packed;
  for (const char letter : text) {
    if (letter != ' ' && letter != '\n') packed += letter;
  }
  return packed;
}

}  // namespace nacre::wire
