#include "codec/pack_unit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace nacre::codec {
namespace {

constexpr Compression kAll[] = {Compression::kNone, Compression::kLz4, Compression::kZstd};
constexpr UnitPlace kPlace{
    .block = {0x0102030405060708, 0x090a0b0c0d0e0f10}, .unit = 3, .units = 9};

std::vector<Protection> both() {
  return {Protection(), Protection(SealKey::from_bytes(as_bytes(std::string(32, 'k'))).take())};
}

std::string noise(size_t size) {
  std::string text;
  uint64_t state = 1;
  for (size_t i = 0; i < size; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    text.push_back(static_cast<char>(state >> 56));
  }
  return text;
}

std::string stored(Compression compression, const Protection& protection, std::string_view unit) {
  std::string out;
  const size_t bytes = UnitPacker(compression, protection).store(as_bytes(unit), kPlace, out);
  EXPECT_EQ(bytes, out.size());
  return out;
}

Status open(Compression compression, const Protection& protection, std::string_view bytes,
            const UnitPlace& place, std::string& into) {
  return UnitOpener(compression, protection).open(as_bytes(bytes), place, as_writable_bytes(into));
}

TEST(PackUnit, GivesBackWhatWasStored) {
  for (const Compression compression : kAll) {
    for (const Protection& protection : both()) {
      for (const size_t size : {1u, 7u, 5000u, 65536u}) {
        for (const std::string& unit : {std::string(size, 'a'), noise(size)}) {
          std::string back(size, '?');
          ASSERT_TRUE(
              open(compression, protection, stored(compression, protection, unit), kPlace, back)
                  .ok());
          EXPECT_EQ(back, unit);
        }
      }
    }
  }
}

TEST(PackUnit, IsCompressedWhereThatSavesAnEighth) {
  for (const Protection& protection : both()) {
    for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
      EXPECT_LT(stored(compression, protection, std::string(65536, 'a')).size(), 1000u);
      EXPECT_EQ(stored(compression, protection, noise(65536)).size(),
                65536 + protection.overhead_bytes());
      // A tenth of it is zeros: not worth it.
      EXPECT_EQ(stored(compression, protection, noise(59000) + std::string(6536, '\0')).size(),
                65536 + protection.overhead_bytes());
    }
    EXPECT_EQ(stored(Compression::kNone, protection, std::string(100, 'a')).size(),
              100 + protection.overhead_bytes());
  }
}

// The sum is XXH64 of the bytes with the seed XXH64(block id, 03000000, 09000000).
TEST(PackUnit, WithoutAKeyHasTheseBytes) {
  std::string hex;
  for (const char byte : stored(Compression::kNone, Protection(), "unit")) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  EXPECT_EQ(hex, "756e6974074ca9751e8fcb49");
}

TEST(PackUnit, PassesForNoUnitOfAnotherPlace) {
  for (const Protection& protection : both()) {
    for (const Compression compression : kAll) {
      const std::string bytes = stored(compression, protection, std::string(5000, 'a'));
      for (const UnitPlace& other : {UnitPlace{{1, 2}, 3, 9}, UnitPlace{kPlace.block, 4, 9},
                                     UnitPlace{kPlace.block, 3, 8}}) {
        std::string into(5000, '\0');
        EXPECT_EQ(open(compression, protection, bytes, other, into).code(), Code::kCorrupt);
      }
      for (const size_t size : {0u, 1u, 4999u, 5001u, 65536u}) {
        std::string into(size, '\0');
        EXPECT_EQ(open(compression, protection, bytes, kPlace, into).code(), Code::kCorrupt);
      }
    }
  }
}

TEST(PackUnit, IsCorruptWithAnyByteChangedOrCutOff) {
  for (const Protection& protection : both()) {
    for (const Compression compression : kAll) {
      const std::string bytes = stored(compression, protection, std::string(300, 'a'));
      for (size_t at = 0; at < bytes.size(); ++at) {
        std::string into(300, '\0');
        std::string bad = bytes;
        bad[at] = static_cast<char>(bad[at] ^ 0x10);
        ASSERT_EQ(open(compression, protection, bad, kPlace, into).code(), Code::kCorrupt);
        ASSERT_EQ(open(compression, protection, bytes.substr(0, at), kPlace, into).code(),
                  Code::kCorrupt);
      }
    }
  }
}

}  // namespace
}  // namespace nacre::codec
