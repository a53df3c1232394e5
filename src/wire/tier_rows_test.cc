#include "wire/tier_rows.h"

#include <gtest/gtest.h>

#include "wire/golden.h"

namespace nacre::wire {
namespace {

constexpr BlockId kBlock{1, 2};
constexpr PackId kPack{0x1011121314151617, 0x18191a1b1c1d1e1f};
constexpr PackRow kRow{.object_bytes = 300, .live_bytes = 200, .blocks = 3, .written = {5}};

TEST(TierRows, KeysAreTheBytesTheFormatPageGives) {
  EXPECT_EQ(hex_of(location_key(kBlock)),
            "6c"
            "0000000000000001"
            "0000000000000002");
  EXPECT_EQ(hex_of(pack_key(kPack)),
            "70"
            "101112131415161718191a1b1c1d1e1f");
  EXPECT_EQ(hex_of(dead_pack_key(kPack)),
            "78"
            "101112131415161718191a1b1c1d1e1f");
  EXPECT_EQ(hex_of(pack_member_key(kPack, 64)),
            "69"
            "101112131415161718191a1b1c1d1e1f"
            "0000000000000040");
  EXPECT_EQ(hex_of(pin_key({3})), "6e0000000000000003");
}

TEST(TierRows, ValuesAreTheBytesTheFormatPageGives) {
  EXPECT_EQ(hex_of(encode(kRow)),
            "ac02"
            "c801"
            "03"
            "0500000000000000");
  EXPECT_EQ(hex_of(encode(DeadPackRow{300})), "ac02");
  EXPECT_EQ(hex_of(encode_member(kBlock)),
            "0000000000000001"
            "0000000000000002");
}

TEST(TierRows, WhatIsEncodedDecodesToTheSame) {
  EXPECT_EQ(*decode_location_key(location_key(kBlock)), kBlock);
  EXPECT_EQ(*decode_pack_key(pack_key(kPack)), kPack);
  EXPECT_EQ(*decode_pack_key(dead_pack_key(kPack)), kPack);
  const auto member = decode_pack_member_key(pack_member_key(kPack, 64));
  ASSERT_TRUE(member.ok());
  EXPECT_EQ(member->pack, kPack);
  EXPECT_EQ(member->offset_bytes, 64u);
  EXPECT_EQ(*decode_pin_key(pin_key({3})), InodeId{3});
  EXPECT_EQ(*decode_pack(encode(kRow)), kRow);
  EXPECT_EQ(*decode_dead_pack(encode(DeadPackRow{300})), DeadPackRow{300});
  EXPECT_EQ(*decode_member(encode_member(kBlock)), kBlock);
}

TEST(TierRows, MembersOfAPackAreTogetherInTheOrderOfTheirOffsets) {
  EXPECT_TRUE(pack_member_key(kPack, 64).starts_with(pack_member_prefix(kPack)));
  EXPECT_LT(pack_member_key(kPack, 255), pack_member_key(kPack, 256));
}

TEST(TierRows, EveryTruncationAndTrailingByteIsCorrupt) {
  const std::string key = pack_member_key(kPack, 64);
  for (size_t length = 0; length < key.size(); ++length) {
    EXPECT_EQ(decode_pack_member_key(key.substr(0, length)).code(), Code::kCorrupt);
  }
  EXPECT_EQ(decode_pin_key(pin_key({3}) + "x").code(), Code::kCorrupt);
  EXPECT_EQ(decode_pin_key(pin_key({3}).substr(0, 8)).code(), Code::kCorrupt);
  const std::string value = encode(kRow);
  for (size_t length = 0; length < value.size(); ++length) {
    EXPECT_EQ(decode_pack(value.substr(0, length)).code(), Code::kCorrupt);
  }
  EXPECT_EQ(decode_pack(value + "x").code(), Code::kCorrupt);
  EXPECT_EQ(decode_location_key(location_key(kBlock) + "x").code(), Code::kCorrupt);
  EXPECT_EQ(decode_dead_pack("").code(), Code::kCorrupt);
  EXPECT_EQ(decode_member("short").code(), Code::kCorrupt);
}

TEST(TierRows, AKeyOfAnotherKindIsCorrupt) {
  EXPECT_EQ(decode_location_key(pack_key(kPack)).code(), Code::kCorrupt);
  EXPECT_EQ(decode_pack_key(location_key(kBlock)).code(), Code::kCorrupt);
  EXPECT_EQ(decode_pack_member_key(std::string(25, 'b')).code(), Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::wire
