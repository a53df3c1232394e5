#include "wire/frame_layout.h"

#include <gtest/gtest.h>

#include "wire/golden.h"

namespace nacre::wire {
namespace {

template <size_t N>
std::string hex(const std::array<std::byte, N>& bytes) {
  return hex_of(as_text(bytes));
}

TEST(Greeting, HasTheseBytes) {
  const Greeting greeting{.oldest = 1, .newest = 2, .tls = true, .cluster = {0x0102, 0xA0B0}};
  EXPECT_EQ(hex(encode_greeting(greeting)),
            without_spaces("4e41435245525043 0100 0200 01000000 0000000000000102 000000000000a0b0"
                           "0000000000000000 9086e0fc29c53e4f"));
}

TEST(Greeting, ComesBack) {
  const Greeting greeting{.oldest = 3, .newest = 9, .tls = false, .cluster = {7, 8}};
  EXPECT_EQ(*decode_greeting(encode_greeting(greeting)), greeting);
}

TEST(Greeting, WithAnyBitFlippedIsRefused) {
  const auto good = encode_greeting({.cluster = {7, 8}});
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_EQ(decode_greeting(bad).code(), Code::kCorrupt) << bit;
  }
}

TEST(Greeting, BothSpeakTheNewestInCommon) {
  EXPECT_EQ(choose_protocol({.oldest = 1, .newest = 4}, {.oldest = 3, .newest = 7}), 4);
  EXPECT_EQ(choose_protocol({.oldest = 3, .newest = 7}, {.oldest = 1, .newest = 4}), 4);
  EXPECT_EQ(choose_protocol({.oldest = 1, .newest = 2}, {.oldest = 3, .newest = 7}), 0);
}

TEST(Frame, HasTheseBytes) {
  const Frame frame{.kind = FrameKind::kRequest,
                    .method = 0x0102,
                    .call = 0x1122334455667788,
                    .header_bytes = 3,
                    .payload_bytes = 0x10,
                    .time_left_ms = 0x400,
                    .payload_xxh64 = 0x99AABBCCDDEEFF00};
  EXPECT_EQ(hex(encode_frame(frame, as_bytes("abc"))),
            without_spaces("4e434652 01 01 0201 8877665544332211 03000000 10000000 00040000"
                           "00000000 00ffeeddccbbaa99 a491d1ec8bf3cd9b"));
}

TEST(Frame, ComesBackWhateverItsKind) {
  const Frame frames[] = {
      {.kind = FrameKind::kRequest, .method = 7, .call = 1, .header_bytes = 2, .time_left_ms = 9},
      {.kind = FrameKind::kResponse, .call = 1, .payload_bytes = 5, .payload_xxh64 = 6},
      {.kind = FrameKind::kResponse, .code = Code::kOverloaded, .failed = true, .call = 2},
      {.kind = FrameKind::kCancel, .call = 3},
      {.kind = FrameKind::kPing},
      {.kind = FrameKind::kPong},
      {.kind = FrameKind::kGoAway},
  };
  for (const Frame& frame : frames) {
    const std::string header(frame.header_bytes, 'h');
    const auto bytes = encode_frame(frame, as_bytes(header));
    EXPECT_EQ(*decode_frame(bytes), frame);
    EXPECT_TRUE(verify_frame(bytes, as_bytes(header)).ok());
  }
}

TEST(Frame, CarriesEveryCode) {
  for (int code = 0; code <= static_cast<int>(Code::kCancelled); ++code) {
    const Frame frame{
        .kind = FrameKind::kResponse, .code = static_cast<Code>(code), .failed = true};
    EXPECT_EQ(decode_frame(encode_frame(frame, {}))->code, static_cast<Code>(code));
  }
}

TEST(Frame, WithAnyBitFlippedIsRefused) {
  const std::string header = "the header";
  const Frame frame{.kind = FrameKind::kRequest,
                    .method = 2,
                    .call = 3,
                    .header_bytes = static_cast<uint32_t>(header.size()),
                    .payload_bytes = 4,
                    .payload_xxh64 = 5};
  const auto good = encode_frame(frame, as_bytes(header));
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(verify_frame(bad, as_bytes(header)).ok()) << bit;
  }
  for (size_t bit = 0; bit < header.size() * 8; ++bit) {
    std::string bad = header;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(verify_frame(good, as_bytes(bad)).ok()) << bit;
  }
}

TEST(Frame, OverALimitIsRefusedBeforeAnythingIsReserved) {
  const auto refused = [](Frame frame) {
    auto bytes = encode_frame({.kind = frame.kind, .method = frame.method}, {});
    std::memcpy(bytes.data() + 16, &frame.header_bytes, 4);
    std::memcpy(bytes.data() + 20, &frame.payload_bytes, 4);
    return decode_frame(bytes).code() == Code::kCorrupt;
  };
  EXPECT_TRUE(refused({.method = 1, .header_bytes = kFrameHeaderBytesMax + 1}));
  EXPECT_TRUE(refused({.method = 1, .payload_bytes = kFramePayloadBytesMax + 1}));
  EXPECT_TRUE(refused({.method = 1, .header_bytes = UINT32_MAX}));
  EXPECT_TRUE(refused({.kind = FrameKind::kPing, .payload_bytes = 1}));
}

}  // namespace
}  // namespace nacre::wire
