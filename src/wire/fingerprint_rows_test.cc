#include "wire/fingerprint_rows.h"

#include <gtest/gtest.h>

#include "wire/golden.h"

namespace nacre::wire {
namespace {

constexpr BlockId kBlock{1, 2};
constexpr codec::Fingerprint kFingerprint{0x1011121314151617, 0x18191a1b1c1d1e1f};
constexpr ContentPlace kPlace{kBlock, 300, 65536};

TEST(FingerprintRows, AreTheBytesTheFormatPageGives) {
  EXPECT_EQ(hex_of(fingerprint_key(kFingerprint)),
            "66"
            "101112131415161718191a1b1c1d1e1f");
  EXPECT_EQ(hex_of(fingerprint_of_key(kBlock, 300)),
            "68"
            "0000000000000001"
            "0000000000000002"
            "000000000000012c");
  EXPECT_EQ(hex_of(encode(kPlace)),
            "0000000000000001"
            "0000000000000002"
            "ac02"
            "808004");
  EXPECT_EQ(hex_of(encode_fingerprint(kFingerprint)), "101112131415161718191a1b1c1d1e1f");
}

TEST(FingerprintRows, WhatIsEncodedDecodesToTheSame) {
  EXPECT_EQ(*decode_fingerprint_key(fingerprint_key(kFingerprint)), kFingerprint);
  const auto key = decode_fingerprint_of_key(fingerprint_of_key(kBlock, 300));
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->block, kBlock);
  EXPECT_EQ(key->offset, 300u);
  EXPECT_EQ(*decode_content_place(encode(kPlace)), kPlace);
  EXPECT_EQ(*decode_fingerprint(encode_fingerprint(kFingerprint)), kFingerprint);
}

TEST(FingerprintRows, ThoseOfABlockAreTogetherInTheOrderOfTheirOffsets) {
  EXPECT_TRUE(fingerprint_of_key(kBlock, 64).starts_with(fingerprint_of_prefix(kBlock)));
  EXPECT_LT(fingerprint_of_key(kBlock, 255), fingerprint_of_key(kBlock, 256));
}

TEST(FingerprintRows, OtherBytesAreRefused) {
  EXPECT_EQ(decode_fingerprint_key(fingerprint_of_key(kBlock, 1)).code(), Code::kCorrupt);
  EXPECT_EQ(decode_fingerprint_of_key(fingerprint_key(kFingerprint)).code(), Code::kCorrupt);
  EXPECT_EQ(decode_fingerprint(encode_fingerprint(kFingerprint) + "x").code(), Code::kCorrupt);
  for (size_t length = 0; length < encode(kPlace).size(); ++length) {
    EXPECT_EQ(decode_content_place(encode(kPlace).substr(0, length)).code(), Code::kCorrupt);
  }
}

}  // namespace
}  // namespace nacre::wire
