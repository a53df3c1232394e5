// What goes over a connection between nodes, and between clients and nodes: a greeting each way,
// and then frames. The bytes are described in docs/format/frames.md; this is the only place that
// writes or reads them. Pure functions, safe from any thread.
//
// A frame is a fixed part of kFrameFixedBytes, a header (a message of the call, opaque here) and a
// payload of raw bytes. The fixed part and the header are under one XXH64, the payload under
// another, so that a payload goes from and to where it belongs without a copy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/cluster_layout.h"

namespace nacre::wire {

inline constexpr uint16_t kProtocolOldest = 1;
inline constexpr uint16_t kProtocolNewest = 1;

inline constexpr size_t kGreetingBytes = 48;

// The first bytes each way, never encrypted. The client names the versions it speaks and whether it
// wants TLS; the server answers with the version chosen (oldest = newest; 0: none in common) and
// with what it demands. Who is who is proved by TLS alone.
struct Greeting {
  uint16_t oldest = kProtocolOldest;
  uint16_t newest = kProtocolNewest;
  bool tls = true;
  ClusterId cluster = {};  // zero: not known
  friend bool operator==(const Greeting&, const Greeting&) = default;
};

std::array<std::byte, kGreetingBytes> encode_greeting(const Greeting& greeting);
// kCorrupt when it is none: the peer speaks something else.
Result<Greeting> decode_greeting(std::span<const std::byte, kGreetingBytes> bytes);
// The newest version that both speak; 0 for none.
uint16_t choose_protocol(const Greeting& client, const Greeting& server);

inline constexpr size_t kFrameFixedBytes = 48;
inline constexpr uint32_t kFrameHeaderBytesMax = 1u << 20;
inline constexpr uint32_t kFramePayloadBytesMax = 68u << 20;

enum class FrameKind : uint8_t {
  kRequest = 1,
  kResponse = 2,
  kCancel = 3,  // the client no longer wants the answer of `call`
  kPing = 4,
  kPong = 5,
  kGoAway = 6,  // the server takes no more requests on this connection
};

struct Frame {
  FrameKind kind = FrameKind::kRequest;
  uint16_t method = 0;    // of a request
  Code code = Code::kIo;  // of a response that failed; its header is the words
  bool failed = false;    // of a response
  uint64_t call = 0;      // the same in a request, its response and its cancel
  uint32_t header_bytes = 0;
  uint32_t payload_bytes = 0;
  uint32_t time_left_ms = 0;   // of a request: how long the client will wait; 0: for ever
  uint64_t payload_xxh64 = 0;  // 0 for an empty payload
  friend bool operator==(const Frame&, const Frame&) = default;
};

// The fixed part; `header` is covered by its checksum and goes right after it.
std::array<std::byte, kFrameFixedBytes> encode_frame(const Frame& frame, ByteView header);
// Checks all that can be checked before the header has come: kCorrupt when this is no frame, a
// length is over its limit, or a field has no meaning.
Result<Frame> decode_frame(std::span<const std::byte, kFrameFixedBytes> bytes);
// kCorrupt unless fixed part and header are as they were sent.
Status verify_frame(std::span<const std::byte, kFrameFixedBytes> bytes, ByteView header);

}  // namespace nacre::wire
