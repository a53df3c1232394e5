#include "wire/fragment_layout.h"

#include <gtest/gtest.h>

#include "wire/golden.h"

namespace nacre::wire {
namespace {

TEST(FragmentNote, HasTheseBytesAndComesBack) {
  const FragmentNote note{.kind = BlockKind::kPart,
                          .code = {4, 2},
                          .block_bytes = 0x01020304,
                          .fragment_xxh64 = 0x1112131415161718,
                          .object = {0x2122232425262728, 0x3132333435363738},
                          .written = {0x41}};
  const std::string bytes = encode_fragment_note(note);
  EXPECT_EQ(hex_of(bytes), without_spaces("01 02 04 02 04030201 1817161514131211"
                                          "2122232425262728 3132333435363738 4100000000000000"));
  EXPECT_EQ(*decode_fragment_note(as_bytes(bytes)), note);
}

TEST(FragmentNote, ThatIsNoneIsRefused) {
  const std::string good = encode_fragment_note({.code = {4, 2}});
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_fragment_note(as_bytes(good.substr(0, size))).ok());
  }
  const auto with = [&](size_t at, char byte) {
    std::string bad = good;
    bad[at] = byte;
    return decode_fragment_note(as_bytes(bad)).code();
  };
  EXPECT_EQ(with(0, 2), Code::kNewerFormat);
  EXPECT_EQ(with(1, 0), Code::kCorrupt);
  EXPECT_EQ(with(1, 5), Code::kCorrupt);
  EXPECT_EQ(with(2, 0), Code::kCorrupt);
  EXPECT_EQ(with(3, 40), Code::kCorrupt);
}

TEST(Manifest, HasTheseBytesAndComesBack) {
  const Manifest manifest{.object_bytes = 0x180, .part_bytes = 0x100, .parts = {{1, 2}, {3, 4}}};
  const std::string bytes = encode_manifest(manifest);
  EXPECT_EQ(hex_of(bytes).substr(0, 112),
            without_spaces("4e434d46 01 000000 8001000000000000 00010000 02000000"
                           "0000000000000001 0000000000000002 0000000000000003 0000000000000004"));
  EXPECT_EQ(*decode_manifest(as_bytes(bytes)), manifest);
  EXPECT_EQ(*decode_manifest(as_bytes(encode_manifest({}))), Manifest{});
}

TEST(Manifest, WithAnyBitFlippedOrCutOffIsRefused) {
  const std::string good =
      encode_manifest({.object_bytes = 0x180, .part_bytes = 0x100, .parts = {{1, 2}, {3, 4}}});
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_manifest(as_bytes(bad)).ok()) << bit;
  }
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_manifest(as_bytes(good.substr(0, size))).ok());
  }
}

TEST(Manifest, WhoseCountsDisagreeIsRefused) {
  const auto code = [](const Manifest& manifest) {
    return decode_manifest(as_bytes(encode_manifest(manifest))).code();
  };
  EXPECT_EQ(code({.object_bytes = 0x201, .part_bytes = 0x100, .parts = {{1, 2}, {3, 4}}}),
            Code::kCorrupt);
  EXPECT_EQ(code({.object_bytes = 1, .part_bytes = 0, .parts = {}}), Code::kCorrupt);
  EXPECT_EQ(code({.object_bytes = UINT64_MAX, .part_bytes = 0x100, .parts = {{1, 2}}}),
            Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::wire
