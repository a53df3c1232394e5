// What surrounds a structure that is kept as one value: magic, version, length and feature flags
// before it, a checksum behind. A reader can so tell a damaged value from one of a later version.
// Pure functions, safe from any thread. The bytes are described in docs/format/cluster.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/device_layout.h"

namespace nacre::wire {

// What one kind of value is called, and what this version knows of it.
struct FrameKind {
  std::string_view magic;  // 8 bytes
  uint16_t version = 1;
  Features known;
  std::string_view what;  // for errors: "the cluster map"
};

struct Framed {
  Features features;
  ByteView body;  // in the value decoded
};

std::string encode_frame(const FrameKind& kind, const Features& features, ByteView body);
// kCorrupt when the value is of another kind or damaged; kNewerFormat when a later version of Nacre
// is needed to read it.
Result<Framed> decode_frame(const FrameKind& kind, ByteView value);

}  // namespace nacre::wire
