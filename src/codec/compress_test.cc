#include "codec/compress.h"

#include <gtest/gtest.h>

#include <string>

namespace nacre::codec {
namespace {

constexpr Compression kAll[] = {Compression::kNone, Compression::kLz4, Compression::kZstd};

std::string repetitive(size_t size) {
  std::string text;
  while (text.size() < size) text += "the quick brown fox " + std::to_string(text.size() / 100);
  text.resize(size);
  return text;
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

std::string compressed(Compression compression, const std::string& text) {
  std::string out(text.size() + text.size() / 64 + 1024, '\0');
  out.resize(Compressor(compression).compress(as_bytes(text), as_writable_bytes(out)));
  return out;
}

Status decompress(Compression compression, const std::string& from, std::string& into) {
  return Decompressor(compression).decompress(as_bytes(from), as_writable_bytes(into));
}

TEST(Compression, GivesBackWhatWasCompressed) {
  for (const Compression compression : kAll) {
    for (const size_t size : {1u, 13u, 4096u, 65536u, 1u << 20}) {
      for (const std::string& text : {repetitive(size), noise(size)}) {
        std::string back(size, '?');
        ASSERT_TRUE(decompress(compression, compressed(compression, text), back).ok())
            << name_of(compression) << size;
        EXPECT_EQ(back, text);
      }
    }
  }
}

TEST(Compression, UsesItsScratchAgainAndAgain) {
  Compressor compressor(Compression::kZstd, 1);
  Decompressor decompressor(Compression::kZstd);
  for (size_t size = 1; size < 100'000; size = size * 3 + 1) {
    const std::string text = repetitive(size);
    std::string packed(size + 100, '\0');
    packed.resize(compressor.compress(as_bytes(text), as_writable_bytes(packed)));
    std::string back(size, '\0');
    ASSERT_TRUE(decompressor.decompress(as_bytes(packed), as_writable_bytes(back)).ok());
    EXPECT_EQ(back, text);
  }
}

TEST(Compression, MakesRepetitiveBytesSmaller) {
  const std::string text = repetitive(65536);
  EXPECT_LT(compressed(Compression::kLz4, text).size(), text.size() / 4);
  EXPECT_LT(compressed(Compression::kZstd, text).size(), text.size() / 4);
}

TEST(Compression, SaysWhenTheResultDoesNotFit) {
  const std::string text = noise(65536);
  std::string into(65536 - 65536 / 8, '\0');
  for (const Compression compression : kAll) {
    EXPECT_EQ(Compressor(compression).compress(as_bytes(text), as_writable_bytes(into)), 0u);
    EXPECT_EQ(Compressor(compression).compress(as_bytes(text), {}), 0u);
  }
}

TEST(Compression, RefusesBytesThatDoNotDecompressToTheExpectedLength) {
  for (const Compression compression : kAll) {
    const std::string packed = compressed(compression, repetitive(5000));
    for (const size_t size : {0u, 1u, 4999u, 5001u, 65536u}) {
      std::string into(size, '\0');
      EXPECT_EQ(decompress(compression, packed, into).code(), Code::kCorrupt) << size;
    }
    std::string into(5000, '\0');
    EXPECT_EQ(decompress(compression, packed.substr(0, packed.size() - 1), into).code(),
              Code::kCorrupt);
    EXPECT_EQ(decompress(compression, packed + "x", into).code(), Code::kCorrupt);
    EXPECT_EQ(decompress(compression, "", into).code(), Code::kCorrupt);
  }
}

TEST(Compression, SurvivesEveryFlippedByte) {
  for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
    const std::string packed = compressed(compression, repetitive(3000));
    for (size_t at = 0; at < packed.size(); ++at) {
      std::string bad = packed;
      bad[at] = static_cast<char>(bad[at] ^ 0x55);
      std::string into(3000, '\0');
      (void)decompress(compression, bad, into).ok();  // any answer, no harm
    }
  }
}

TEST(Compression, HasNames) {
  for (const Compression compression : kAll) {
    EXPECT_EQ(*parse_compression(name_of(compression)), compression);
    EXPECT_EQ(*compression_of(static_cast<uint8_t>(compression)), compression);
  }
  EXPECT_EQ(parse_compression("gzip").code(), Code::kInvalid);
  EXPECT_EQ(compression_of(3).code(), Code::kNewerFormat);
}

}  // namespace
}  // namespace nacre::codec
