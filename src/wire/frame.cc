#include "wire/frame.h"

#include <fmt/format.h>

#include "base/check.h"
#include "codec/checksum.h"
#include "wire/cursor.h"

namespace nacre::wire {
namespace {

constexpr size_t kMagicBytes = 8;
constexpr size_t kChecksumBytes = sizeof(uint64_t);
constexpr size_t kPrefixBytes = kMagicBytes + sizeof(uint16_t) + sizeof(uint32_t);
constexpr size_t kFlagBytes = 3 * sizeof(uint64_t);

Error damaged(const FrameKind& kind, std::string_view how) {
  return Error(Code::kCorrupt, fmt::format("{} {}", kind.what, how));
}

Error newer(const FrameKind& kind, std::string_view why) {
  return Error(
      Code::kNewerFormat,
      fmt::format("{}: {} was written by a later version of Nacre; use that one", why, kind.what));
}

}  // namespace

std::string encode_frame(const FrameKind& kind, const Features& features, ByteView body) {
  CHECK(kind.magic.size() == kMagicBytes);
  std::string value;
  value.reserve(kPrefixBytes + kFlagBytes + body.size() + kChecksumBytes);
  Writer out(value);
  out.raw(as_bytes(kind.magic));
  out.u16(kind.version);
  out.u32(static_cast<uint32_t>(kPrefixBytes + kFlagBytes + body.size() + kChecksumBytes));
  out.u64(features.compat);
  out.u64(features.ro_compat);
  out.u64(features.incompat);
  out.raw(body);
  out.u64(codec::xxh64(as_bytes(value)));
  return value;
}

Result<Framed> decode_frame(const FrameKind& kind, ByteView value) {
  if (value.size() < kPrefixBytes + kChecksumBytes ||
      as_text(value.first(kMagicBytes)) != kind.magic) {
    return damaged(kind, "is something else");
  }
  Reader in(value.first(value.size() - kChecksumBytes).subspan(kMagicBytes));
  const uint16_t version = in.u16();
  const uint32_t length = in.u32();
  if (length != value.size()) {
    return damaged(kind, fmt::format("should have {} bytes and has {}", length, value.size()));
  }
  if (Reader(value.last(kChecksumBytes)).u64() !=
      codec::xxh64(value.first(value.size() - kChecksumBytes))) {
    return damaged(kind, "fails its checksum");
  }
  if (version > kind.version) return newer(kind, fmt::format("format {}", version));
  Framed framed;
  framed.features = {.compat = in.u64(), .ro_compat = in.u64(), .incompat = in.u64()};
  if (!in.ok() || version == 0) return damaged(kind, "does not decode");
  if (const uint64_t unknown = framed.features.incompat & ~kind.known.incompat) {
    return newer(kind, fmt::format("incompatible features {:#x} are unknown", unknown));
  }
  framed.body = in.rest();
  return framed;
}

}  // namespace nacre::wire
