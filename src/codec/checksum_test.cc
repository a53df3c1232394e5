#include "codec/checksum.h"

#include <gtest/gtest.h>

#include <string>

namespace nacre::codec {
namespace {

TEST(Checksum, IsXxh64AsItsSpecificationGivesIt) {
  EXPECT_EQ(xxh64({}), 0xEF46DB3751D8E999u);
  EXPECT_EQ(xxh64(as_bytes("abc")), 0x44BC2CF5AD770999u);
  EXPECT_EQ(xxh64(as_bytes("Nobody inspects the spammish repetition")), 0xFBCEA83C8A378BF1u);
}

TEST(Checksum, DependsOnItsSeed) { EXPECT_NE(xxh64(as_bytes("abc")), xxh64(as_bytes("abc"), 1)); }

TEST(Checksum, OfAStreamIsTheSameHoweverTheBytesAreCut) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (const size_t cut : {0u, 1u, 31u, 32u, 33u, 150u, 300u}) {
    Xxh64Stream stream(42);
    stream.update(as_bytes(text).first(cut));
    stream.update({});
    stream.update(as_bytes(text).subspan(cut));
    EXPECT_EQ(stream.digest(), xxh64(as_bytes(text), 42)) << cut;
  }
}

TEST(Checksum, OfAStreamCanBeTakenOnTheWay) {
  Xxh64Stream stream;
  stream.update(as_bytes("ab"));
  EXPECT_EQ(stream.digest(), xxh64(as_bytes("ab")));
  stream.update(as_bytes("c"));
  EXPECT_EQ(stream.digest(), xxh64(as_bytes("abc")));
}

}  // namespace
}  // namespace nacre::codec
