#include "codec/protection.h"

#include <gtest/gtest.h>

#include <vector>

namespace nacre::codec {
namespace {

SealKey key_of(char letter) {
  return SealKey::from_bytes(as_bytes(std::string(32, letter))).take();
}

std::vector<Protection> both() { return {Protection(), Protection(key_of('a'))}; }

Code open_code(const Protection& protection, std::string_view stored, std::string_view associated,
               size_t size) {
  std::string into(size, '\0');
  return protection.open(as_bytes(stored), as_bytes(associated), as_writable_bytes(into)).code();
}

TEST(Protection, GivesBackWhatItProtectedBehindWhatWasThere) {
  for (const Protection& protection : both()) {
    for (const std::string plain : {"", "some bytes"}) {
      std::string out = "before";
      const size_t stored_bytes = protection.protect(as_bytes(plain), as_bytes("place"), out);
      ASSERT_EQ(stored_bytes, plain.size() + protection.overhead_bytes());
      ASSERT_EQ(out.size(), 6 + stored_bytes);
      std::string into(plain.size(), '\0');
      ASSERT_TRUE(
          protection.open(as_bytes(out).subspan(6), as_bytes("place"), as_writable_bytes(into))
              .ok());
      EXPECT_EQ(into, plain);
    }
  }
}

TEST(Protection, FindsEveryFlippedBitAndEveryOtherPlaceOrLength) {
  for (const Protection& protection : both()) {
    std::string stored;
    protection.protect(as_bytes("some bytes"), as_bytes("place"), stored);
    for (size_t bit = 0; bit < stored.size() * 8; ++bit) {
      std::string bad = stored;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
      ASSERT_EQ(open_code(protection, bad, "place", 10), Code::kCorrupt) << bit;
    }
    EXPECT_EQ(open_code(protection, stored, "Place", 10), Code::kCorrupt);
    EXPECT_EQ(open_code(protection, stored, "place", 9), Code::kCorrupt);
    EXPECT_EQ(open_code(protection, stored, "place", 11), Code::kCorrupt);
    EXPECT_EQ(open_code(protection, "", "place", 0), Code::kCorrupt);
  }
}

TEST(Protection, TakesNoChecksumForASeal) {
  std::string summed;
  Protection().protect(as_bytes(std::string(100, 'x')), {}, summed);
  EXPECT_EQ(open_code(Protection(key_of('a')), summed, "", summed.size() - 40), Code::kCorrupt);
}

TEST(Protection, OfOneKeyOpensNothingOfAnother) {
  std::string stored;
  Protection(key_of('a')).protect(as_bytes("x"), {}, stored);
  EXPECT_EQ(open_code(Protection(key_of('b')), stored, "", 1), Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::codec
