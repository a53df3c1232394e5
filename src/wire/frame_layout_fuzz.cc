// A connection as a peer nobody trusts would send it: whatever decodes must encode to the same
// bytes.
#include <algorithm>
#include <cstdlib>

#include "wire/frame_layout.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nacre;
  using namespace nacre::wire;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (size >= kGreetingBytes) {
    const auto greeting = decode_greeting(bytes.first<kGreetingBytes>());
    if (greeting.ok() &&
        !std::ranges::equal(encode_greeting(*greeting), bytes.first<kGreetingBytes>())) {
      std::abort();
    }
  }
  if (size < kFrameFixedBytes) return 0;
  const auto fixed = bytes.first<kFrameFixedBytes>();
  const auto frame = decode_frame(fixed);
  if (!frame.ok() || frame->header_bytes > size - kFrameFixedBytes) return 0;
  const ByteView header = bytes.subspan(kFrameFixedBytes, frame->header_bytes);
  if (!verify_frame(fixed, header).ok()) return 0;
  if (!std::ranges::equal(encode_frame(*frame, header), fixed)) std::abort();
  return 0;
}
