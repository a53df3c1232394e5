#include "wire/frame_layout.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "codec/checksum.h"
#include "wire/cursor.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kGreetingMagic = "NACRERPC";
constexpr uint32_t kFrameMagic = 0x5246434E;  // "NCFR"
constexpr uint8_t kFrameVersion = 1;
constexpr uint32_t kGreetingTls = 1;
constexpr size_t kFrameSummed = 40;
constexpr size_t kGreetingSummed = 40;

// Codes as they are on the wire; a place never changes its meaning.
constexpr std::array kCodes = {
    Code::kNotFound,     Code::kExists,      Code::kInvalid,      Code::kCorrupt,
    Code::kIo,           Code::kNoSpace,     Code::kBusy,         Code::kNotEmpty,
    Code::kNotDirectory, Code::kIsDirectory, Code::kNotPermitted, Code::kAccess,
    Code::kNameTooLong,  Code::kTooBig,      Code::kOutOfRange,   Code::kNoData,
    Code::kReadOnly,     Code::kUnsupported, Code::kTooManyLinks, Code::kLoop,
    Code::kCrossDevice,  Code::kNewerFormat, Code::kBelowFloor,   Code::kUnavailable,
    Code::kTimeout,      Code::kOverloaded,  Code::kCancelled,
};

// 0 is success.
uint16_t number_of(Code code) {
  const auto* const found = std::ranges::find(kCodes, code);
  CHECK(found != kCodes.end());
  return static_cast<uint16_t>(found - kCodes.begin() + 1);
}

Error no_frame(const char* what) {
  return Error(Code::kCorrupt, std::string("what came over the connection is no frame: ") + what);
}

uint64_t sum_of_frame(std::span<const std::byte, kFrameFixedBytes> bytes, ByteView header) {
  codec::Xxh64Stream sum;
  sum.update(ByteView(bytes).first(kFrameSummed));
  sum.update(header);
  return sum.digest();
}

template <size_t N>
std::array<std::byte, N> packed(const std::string& text) {
  CHECK(text.size() == N);
  std::array<std::byte, N> bytes;
  std::memcpy(bytes.data(), text.data(), N);
  return bytes;
}

bool fields_make_sense(const Frame& frame, uint16_t subject) {
  const bool bare = frame.header_bytes == 0 && frame.payload_bytes == 0;
  switch (frame.kind) {
    case FrameKind::kRequest:
      return subject != 0;
    case FrameKind::kResponse:
      return subject <= kCodes.size() && frame.time_left_ms == 0;
    case FrameKind::kCancel:
    case FrameKind::kPing:
    case FrameKind::kPong:
    case FrameKind::kGoAway:
      return subject == 0 && bare && frame.time_left_ms == 0;
  }
  return false;
}

}  // namespace

std::array<std::byte, kGreetingBytes> encode_greeting(const Greeting& greeting) {
  std::string text;
  Writer out(text);
  out.raw(as_bytes(kGreetingMagic));
  out.u16(greeting.oldest);
  out.u16(greeting.newest);
  out.u32(greeting.tls ? kGreetingTls : 0);
  out.id(greeting.cluster);
  out.zeros(kGreetingSummed - out.size());
  out.u64(codec::xxh64(as_bytes(text)));
  return packed<kGreetingBytes>(text);
}

Result<Greeting> decode_greeting(std::span<const std::byte, kGreetingBytes> bytes) {
  Reader in(bytes);
  const bool ours = as_text(in.raw(kGreetingMagic.size())) == kGreetingMagic;
  Greeting greeting{.oldest = in.u16(), .newest = in.u16()};
  const uint32_t flags = in.u32();
  greeting.tls = (flags & kGreetingTls) != 0;
  greeting.cluster = in.id<ClusterId>();
  in.zeros(in.remaining() - sizeof(uint64_t));
  const uint64_t sum = in.u64();
  if (!ours) return Error(Code::kCorrupt, "the peer does not speak Nacre's protocol");
  const bool whole = in.ok() && sum == codec::xxh64(ByteView(bytes).first(kGreetingSummed));
  if (!whole || flags > kGreetingTls || greeting.oldest > greeting.newest) {
    return Error(Code::kCorrupt, "the greeting of the peer is damaged");
  }
  return greeting;
}

uint16_t choose_protocol(const Greeting& client, const Greeting& server) {
  const uint16_t newest = std::min(client.newest, server.newest);
  return newest >= std::max(client.oldest, server.oldest) ? newest : uint16_t{0};
}

std::array<std::byte, kFrameFixedBytes> encode_frame(const Frame& frame, ByteView header) {
  CHECK(header.size() == frame.header_bytes);
  uint16_t subject = frame.method;
  if (frame.kind == FrameKind::kResponse) {
    subject = frame.failed ? number_of(frame.code) : uint16_t{0};
  }
  std::string text;
  text.reserve(kFrameFixedBytes);
  Writer out(text);
  out.u32(kFrameMagic);
  out.u8(kFrameVersion);
  out.u8(static_cast<uint8_t>(frame.kind));
  out.u16(subject);
  out.u64(frame.call);
  out.u32(frame.header_bytes);
  out.u32(frame.payload_bytes);
  out.u32(frame.time_left_ms);
  out.u32(0);
  out.u64(frame.payload_xxh64);
  out.zeros(sizeof(uint64_t));
  auto bytes = packed<kFrameFixedBytes>(text);
  const uint64_t sum = sum_of_frame(bytes, header);
  std::memcpy(bytes.data() + kFrameSummed, &sum, sizeof(sum));
  return bytes;
}

Result<Frame> decode_frame(std::span<const std::byte, kFrameFixedBytes> bytes) {
  Reader in(bytes);
  const uint32_t magic = in.u32();
  const uint8_t version = in.u8();
  Frame frame{.kind = static_cast<FrameKind>(in.u8())};
  const uint16_t subject = in.u16();
  frame.call = in.u64();
  frame.header_bytes = in.u32();
  frame.payload_bytes = in.u32();
  frame.time_left_ms = in.u32();
  in.zeros(sizeof(uint32_t));
  frame.payload_xxh64 = in.u64();
  if (magic != kFrameMagic || !in.ok()) return no_frame("it begins with other bytes");
  if (version != kFrameVersion) return no_frame("its version is not known");
  if (frame.header_bytes > kFrameHeaderBytesMax) return no_frame("its header is too long");
  if (frame.payload_bytes > kFramePayloadBytesMax) return no_frame("its payload is too long");
  if (frame.payload_bytes == 0 && frame.payload_xxh64 != 0) return no_frame("it sums up nothing");
  if (!fields_make_sense(frame, subject)) return no_frame("its fields contradict each other");
  if (frame.kind == FrameKind::kRequest) frame.method = subject;
  if (frame.kind == FrameKind::kResponse && subject != 0) {
    frame.failed = true;
    frame.code = kCodes[subject - 1];
  }
  return frame;
}

Status verify_frame(std::span<const std::byte, kFrameFixedBytes> bytes, ByteView header) {
  uint64_t sum = 0;
  std::memcpy(&sum, bytes.data() + kFrameSummed, sizeof(sum));
  if (sum != sum_of_frame(bytes, header)) return no_frame("its checksum does not match");
  return {};
}

}  // namespace nacre::wire
