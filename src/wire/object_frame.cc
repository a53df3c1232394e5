#include "wire/object_frame.h"

#include <fmt/format.h>

#include "codec/checksum.h"
#include "wire/cursor.h"

namespace nacre::wire {
namespace {

constexpr uint16_t kVersion = 1;
constexpr uint16_t kSealedFlag = 1;
constexpr std::string_view kUseNewer = "written by a later version of Nacre; use that one";

}  // namespace

void begin_frame(std::string& out, std::string_view magic, bool sealed) {
  Writer frame(out);
  frame.raw(as_bytes(magic));
  frame.u16(kVersion);
  frame.u16(sealed ? kSealedFlag : 0);
}

void end_frame(std::string& out) { Writer(out).u64(codec::xxh64(as_bytes(out))); }

Result<ObjectFrame> open_frame(ByteView bytes, std::string_view magic, std::string_view what) {
  if (bytes.size() < kFrameBeginBytes + kFrameEndBytes ||
      as_text(bytes.first(magic.size())) != magic) {
    return Error(Code::kCorrupt, fmt::format("this is no {}", what));
  }
  const ByteView summed = bytes.first(bytes.size() - kFrameEndBytes);
  if (Reader(bytes.last(kFrameEndBytes)).u64() != codec::xxh64(summed)) {
    return Error(Code::kCorrupt, fmt::format("{} fails its checksum", what));
  }
  Reader in(summed.subspan(magic.size()));
  const uint16_t version = in.u16();
  const uint16_t flags = in.u16();
  if (version > kVersion) {
    return Error(Code::kNewerFormat, fmt::format("{} of format {}: {}", what, version, kUseNewer));
  }
  if (version == 0) return Error(Code::kCorrupt, fmt::format("{} has format 0", what));
  if ((flags & ~kSealedFlag) != 0) {
    return Error(Code::kNewerFormat,
                 fmt::format("{} with unknown flags {:#x}: {}", what, flags, kUseNewer));
  }
  return ObjectFrame{.sealed = (flags & kSealedFlag) != 0, .fields = in.rest()};
}

Status check_sealing(bool sealed, const codec::Protection& protection, std::string_view what) {
  if (sealed == protection.sealed()) return {};
  if (sealed) {
    return Error(Code::kAccess, fmt::format("{} is sealed; the key of the volume is needed", what));
  }
  return Error(Code::kCorrupt,
               fmt::format("{} is not sealed, although the volume is; it may be forged", what));
}

}  // namespace nacre::wire
