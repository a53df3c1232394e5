#include "wire/pack_layout.h"

#include <gtest/gtest.h>

#include "wire/bucket_fault.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

constexpr PackId kPack{0x1011121314151617, 0x18191a1b1c1d1e1f};
constexpr VolumeId kVolume{0x2021222324252627, 0x28292a2b2c2d2e2f};

PackedBlock large() {
  return {.id = {0x0102030405060708, 0x090a0b0c0d0e0f10},
          .offset_bytes = 64,
          .logical_bytes = 65536 + 10,
          .compression = codec::Compression::kZstd,
          .unit_bytes = {300, 18}};
}
PackedBlock small() {
  return {.id = {1, 2}, .offset_bytes = 400, .logical_bytes = 2, .unit_bytes = {10}};
}

PackHeader header(bool sealed) { return {.volume = kVolume, .pack = kPack, .sealed = sealed}; }

// A list of blocks as a pack ends with it.
struct End {
  PackHeader header = {};
  PackTrailer trailer = {};
  std::string index = {};
};
End end_with(std::vector<PackedBlock> blocks, uint64_t index_offset,
             const codec::Protection& protection) {
  End end{.header = header(protection.sealed())};
  end.index = encode_pack_index(end.header, blocks, index_offset, protection);
  end.trailer = {.pack = kPack,
                 .sealed = protection.sealed(),
                 .index_offset = index_offset,
                 .index_bytes = static_cast<uint32_t>(end.index.size()),
                 .blocks = static_cast<uint32_t>(blocks.size())};
  return end;
}

Result<std::vector<PackedBlock>> decoded(const End& end, const codec::Protection& protection) {
  return decode_pack_index(as_bytes(end.index), end.header, end.trailer, protection);
}

Code trailer_code(const PackTrailer& trailer, uint64_t object_bytes) {
  return decode_pack_trailer(as_bytes(encode_pack_trailer(trailer)), kPack, object_bytes).code();
}

TEST(PackedBlock, KnowsWhereItsUnitsAre) {
  EXPECT_EQ(large().stored_bytes(), 318u);
  EXPECT_EQ(large().offset_of_unit(0), 64u);
  EXPECT_EQ(large().offset_of_unit(1), 364u);
  EXPECT_EQ(large().offset_of_unit(2), 382u);
}

TEST(PackLocation, HasTheseBytes) {
  EXPECT_EQ(hex_of(encode_location({kPack, large()})),
            without_spaces("101112131415161718191a1b1c1d1e1f"
                           "40 8a8004 02 ac02 12"));
}

TEST(PackLocation, ReadsBackWhatWasWritten) {
  const PackedBlock empty{.id = {3, 4}, .offset_bytes = 64};
  for (const PackedBlock& block : {large(), small(), empty}) {
    const PackLocation location{kPack, block};
    const Result<PackLocation> back = decode_location(encode_location(location), block.id);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, location);
  }
}

TEST(PackLocation, IsCorruptCutOffOrImpossible) {
  const std::string value = encode_location({kPack, large()});
  for (size_t length = 0; length < value.size(); ++length) {
    ASSERT_EQ(decode_location(value.substr(0, length), {}).code(), Code::kCorrupt) << length;
  }
  EXPECT_EQ(decode_location(value + "x", {}).code(), Code::kCorrupt);
  PackedBlock block = small();
  block.offset_bytes = 63;  // in the header
  EXPECT_EQ(decode_location(encode_location({kPack, block}), {}).code(), Code::kCorrupt);
  block.offset_bytes = kMaxPackBytes - 9;
  EXPECT_EQ(decode_location(encode_location({kPack, block}), {}).code(), Code::kCorrupt);
  block = small();
  block.unit_bytes = {43};  // longer than the unit with its seal
  EXPECT_EQ(decode_location(encode_location({kPack, block}), {}).code(), Code::kCorrupt);
  block.unit_bytes = {0};
  EXPECT_EQ(decode_location(encode_location({kPack, block}), {}).code(), Code::kCorrupt);
  block = small();
  block.compression = codec::Compression{7};
  EXPECT_EQ(decode_location(encode_location({kPack, block}), {}).code(), Code::kNewerFormat);
}

TEST(PackLocation, OfABlockLargerThanThereAreIsRefusedBeforeMemoryIsTaken) {
  const std::string value = encode_location({kPack, {.offset_bytes = 64}});
  for (const std::string logical_bytes : {"\xff\xff\xff\xff\x0f", "\x81\x80\x80\x20"}) {
    EXPECT_EQ(
        decode_location(value.substr(0, 17) + logical_bytes + std::string(1, '\0'), {}).code(),
        Code::kCorrupt);
  }
}

TEST(PackHeader, HasTheseBytes) {
  EXPECT_EQ(hex_of(encode_pack_header(header(true))),
            without_spaces("4e43504b 0100 0100"
                           "202122232425262728292a2b2c2d2e2f"
                           "101112131415161718191a1b1c1d1e1f"
                           "00000000000000000000000000000000 77ce7b4625420602"));
}

TEST(PackHeader, ReadsBackWhatWasWritten) {
  for (const bool sealed : {false, true}) {
    const Result<PackHeader> back =
        decode_pack_header(as_bytes(encode_pack_header(header(sealed))));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, header(sealed));
  }
  EXPECT_EQ(decode_pack_header({}).code(), Code::kCorrupt);
}

TEST(PackTrailer, HasTheseBytes) {
  EXPECT_EQ(hex_of(encode_pack_trailer(
                {.pack = kPack, .index_offset = 410, .index_bytes = 52, .blocks = 2})),
            without_spaces("4e435054 0100 0000"
                           "101112131415161718191a1b1c1d1e1f"
                           "9a01000000000000 34000000 02000000 c1a0e123ac78ebcd"));
}

TEST(PackTrailer, MustBeThePacksOwnAndPossible) {
  const PackTrailer trailer{.pack = kPack, .index_offset = 410, .index_bytes = 52, .blocks = 2};
  const Result<PackTrailer> back =
      decode_pack_trailer(as_bytes(encode_pack_trailer(trailer)), kPack, 510);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, trailer);
  EXPECT_EQ(trailer_code(trailer, 511), Code::kCorrupt);
  PackTrailer bad = trailer;
  bad.pack = {1, 2};
  EXPECT_EQ(trailer_code(bad, 510), Code::kCorrupt);
  bad = trailer;
  bad.index_offset = UINT64_MAX - 99;  // the sum would wrap to the right one
  EXPECT_EQ(trailer_code(bad, 0), Code::kCorrupt);
  bad = trailer;
  bad.index_bytes = kMaxPackIndexBytes + 1;
  EXPECT_EQ(trailer_code(bad, 410 + 48 + kMaxPackIndexBytes + 1), Code::kCorrupt);
  bad = trailer;
  bad.blocks = kMaxPackBlocks + 1;
  EXPECT_EQ(trailer_code(bad, 510), Code::kCorrupt);
}

TEST(PackIndex, HasTheseBytes) {
  EXPECT_EQ(hex_of(end_with({large(), small()}, 410, {}).index),
            without_spaces("0102030405060708090a0b0c0d0e0f10 40 8a8004 02 ac02 12"
                           "00000000000000010000000000000002 9003 02 00 0a"
                           "110d3c2d6423521b"));
}

TEST(PackIndex, ReadsBackWhatWasWritten) {
  for (const codec::Protection& protection : {codec::Protection(), sealing_with('k')}) {
    for (const std::vector<PackedBlock>& blocks :
         {std::vector<PackedBlock>{}, std::vector<PackedBlock>{large(), small()}}) {
      const auto back = decoded(end_with(blocks, 410, protection), protection);
      ASSERT_TRUE(back.ok());
      EXPECT_EQ(*back, blocks);
    }
  }
}

TEST(PackIndex, WithAnyBitFlippedOrOfAnotherPackIsCorrupt) {
  for (const codec::Protection& protection : {codec::Protection(), sealing_with('k')}) {
    const End good = end_with({large(), small()}, 410, protection);
    for (size_t bit = 0; bit < good.index.size() * 8; ++bit) {
      End bad = good;
      bad.index = with_bit_flipped(bad.index, bit);
      ASSERT_EQ(decoded(bad, protection).code(), Code::kCorrupt) << bit;
    }
    End bad = good;
    bad.header.pack = {5, 6};
    EXPECT_EQ(decoded(bad, protection).code(), Code::kCorrupt);
    bad = good;
    bad.trailer.blocks = 1;
    EXPECT_EQ(decoded(bad, protection).code(), Code::kCorrupt);
    bad = good;
    bad.index = "short";
    bad.trailer.index_bytes = 5;
    EXPECT_EQ(decoded(bad, protection).code(), Code::kCorrupt);
  }
}

TEST(PackIndex, OfBlocksThatOverlapOrLieOutsideIsCorrupt) {
  EXPECT_EQ(decoded(end_with({large(), small()}, 409, {}), {}).code(), Code::kCorrupt);
  EXPECT_EQ(decoded(end_with({small(), large()}, 410, {}), {}).code(), Code::kCorrupt);
  PackedBlock overlapping = small();
  overlapping.offset_bytes = 381;
  EXPECT_EQ(decoded(end_with({large(), overlapping}, 410, {}), {}).code(), Code::kCorrupt);
}

TEST(PackIndex, IsReadWithTheKeyItWasSealedUnderAlone) {
  const End sealed = end_with({large()}, 410, sealing_with('k'));
  EXPECT_EQ(decoded(sealed, {}).code(), Code::kAccess);
  EXPECT_EQ(decoded(sealed, sealing_with('l')).code(), Code::kCorrupt);
  EXPECT_EQ(decoded(end_with({large()}, 410, {}), sealing_with('k')).code(), Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::wire
