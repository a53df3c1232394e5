// CHECK is for programmer mistakes only: it prints the place and the condition, and aborts.
// Input from disk, wire, bucket or command line is never CHECKed; it gets an Error.
#pragma once

namespace nacre {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace nacre

#define CHECK(condition) \
  (static_cast<bool>(condition) ? void() : ::nacre::check_failed(#condition, __FILE__, __LINE__))
