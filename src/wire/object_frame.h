// What the objects of a bucket have in common: they, or their fixed heads, begin with a magic of
// four bytes, the format version and flags, and end with the XXH64 of all bytes before. So a
// reader of any version can tell a later format from damage. Pure functions, safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/protection.h"

namespace nacre::wire {

// Magic, version and flags; and the sum at the end.
inline constexpr size_t kFrameBeginBytes = 8;
inline constexpr size_t kFrameEndBytes = 8;

// Appends the beginning of a frame, the only bytes of `out` so far.
void begin_frame(std::string& out, std::string_view magic, bool sealed);
// Appends the sum of all of `out`.
void end_frame(std::string& out);

struct ObjectFrame {
  bool sealed = false;
  ByteView fields = {};  // between beginning and end; points into what was opened
};
// From all bytes of the frame; `what` names the thing, for the error. kCorrupt when the magic is
// another one or the sum fails; kNewerFormat for a later version or unknown flags.
Result<ObjectFrame> open_frame(ByteView bytes, std::string_view magic, std::string_view what);

// Whether something that says it is sealed, or not, may be read with `protection`. kAccess when a
// key is needed; kCorrupt when it is not sealed although the volume has a key, as nothing but a
// forgery would be.
Status check_sealing(bool sealed, const codec::Protection& protection, std::string_view what);

}  // namespace nacre::wire
