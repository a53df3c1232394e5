#include "wire/device_layout.h"

#include <gtest/gtest.h>

#include "codec/checksum.h"
#include "wire/cursor.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

Superblock example() {
  return {.backing = BackingKind::kImage,
          .features = {.compat = 1, .ro_compat = 2, .incompat = 0},
          .generation = 3,
          .device = {0x1011121314151617, 0x18191a1b1c1d1e1f},
          .volume = {0x2021222324252627, 0x28292a2b2c2d2e2f},
          .epoch = 4,
          .segment_count = 8,
          .segment_bytes = 65536,
          .first_segment_bytes = 1u << 20,
          .device_bytes = 3u << 20,
          .created = {0x0102030405060708}};
}

// The page with some bytes replaced and its checksum made good again.
std::string patched(std::string page, size_t offset, std::string_view bytes) {
  page.replace(offset, bytes.size(), bytes);
  std::string checksum;
  Writer(checksum).u64(codec::xxh64(as_bytes(page).first(504)));
  return page.replace(504, 8, checksum);
}

Code decode_code(const std::string& page) { return decode_superblock(as_bytes(page)).code(); }

TEST(Superblock, HasTheseBytes) {
  const std::string page = encode_superblock(example());
  EXPECT_EQ(page.size(), kDevicePageBytes);
  EXPECT_EQ(hex_of(page.substr(0, 120)), without_spaces("4e61637265446576 0100 02 0c 0e 000000"
                                                        "0100000000000000"
                                                        "0200000000000000"
                                                        "0000000000000000"
                                                        "0300000000000000"
                                                        "101112131415161718191a1b1c1d1e1f"
                                                        "202122232425262728292a2b2c2d2e2f"
                                                        "04000000 08000000"
                                                        "0000010000000000"
                                                        "0000100000000000"
                                                        "0000300000000000"
                                                        "0807060504030201"));
  EXPECT_EQ(page.substr(120, 384), std::string(384, '\0'));
  EXPECT_EQ(hex_of(page.substr(504, 8)), "6f9212287caec910");
  EXPECT_EQ(page.substr(512), std::string(4096 - 512, '\0'));
}

TEST(Superblock, ReadsBackWhatWasWritten) {
  const Superblock superblock = example();
  const Result<Superblock> back = decode_superblock(as_bytes(encode_superblock(superblock)));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, superblock);
}

TEST(Superblock, WithAnyBitFlippedIsCorrupt) {
  const std::string page = encode_superblock(example());
  for (size_t bit = 0; bit < 512 * 8; ++bit) {
    std::string bad = page;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    ASSERT_EQ(decode_code(bad), Code::kCorrupt) << bit;
  }
}

TEST(Superblock, OfUnknownIncompatibleFeaturesNeedsANewerNacre) {
  Superblock superblock = example();
  superblock.features.incompat = 0x40;
  const Result<Superblock> refused = decode_superblock(as_bytes(encode_superblock(superblock)));
  EXPECT_EQ(refused.code(), Code::kNewerFormat);
  EXPECT_EQ(refused.error().context(),
            "incompatible features 0x40 are unknown: the device was written by a later version of "
            "Nacre; use that one");
}

TEST(Superblock, OfUnknownReadOnlyFeaturesMayOnlyBeRead) {
  Superblock superblock = example();
  EXPECT_TRUE(superblock.must_stay_read_only());
  superblock.features.ro_compat = 0;
  EXPECT_FALSE(superblock.must_stay_read_only());
}

TEST(Superblock, OfALaterFormatNeedsANewerNacre) {
  EXPECT_EQ(decode_code(patched(encode_superblock(example()), 8, "\x02")), Code::kNewerFormat);
}

TEST(Superblock, ThatDescribesAnImpossibleDeviceIsCorrupt) {
  const std::string page = encode_superblock(example());
  EXPECT_EQ(decode_code(patched(page, 10, "\x03")), Code::kCorrupt);  // backing
  EXPECT_EQ(decode_code(patched(page, 11, "\x0d")), Code::kCorrupt);  // page size
  Superblock superblock = example();
  superblock.segment_count = 32;  // more than the image holds
  EXPECT_EQ(decode_code(encode_superblock(superblock)), Code::kCorrupt);
  superblock = example();
  superblock.segment_bytes = 65536 + 512;
  EXPECT_EQ(decode_code(encode_superblock(superblock)), Code::kCorrupt);
  superblock = example();
  superblock.segment_count = 0;
  EXPECT_EQ(decode_code(encode_superblock(superblock)), Code::kCorrupt);
}

TEST(Superblock, IsNotFoundInOtherBytes) {
  EXPECT_FALSE(looks_like_superblock({}));
  EXPECT_EQ(decode_code(std::string(4096, '\0')), Code::kCorrupt);
  EXPECT_EQ(decode_code("NacreDev"), Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::wire
