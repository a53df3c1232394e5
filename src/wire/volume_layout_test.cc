#include "wire/volume_layout.h"

#include <gtest/gtest.h>

#include "codec/checksum.h"
#include "wire/cursor.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

constexpr size_t kCompressionAt = 15;
constexpr size_t kDeviceCountAt = 96;

VolumeSuperblock example() {
  return {.features = {.compat = 1, .ro_compat = 2, .incompat = 0},
          .generation = 3,
          .volume = {0x2021222324252627, 0x28292a2b2c2d2e2f},
          .created = {0x0102030405060708},
          .block_size = 4 * kMiB,
          .compression = codec::Compression::kZstd,
          .capacity_bytes = 20 * kGiB,
          .name_key = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,  //
                       0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf},
          .devices = {{{0x1011121314151617, 0x18191a1b1c1d1e1f}, ""},
                      {{0x3031323334353637, 0x38393a3b3c3d3e3f}, "/dev/sdb"}}};
}

// The file with some bytes replaced and its checksum made good again.
std::string patched(std::string file, size_t offset, std::string_view bytes) {
  file.replace(offset, bytes.size(), bytes);
  std::string checksum;
  Writer(checksum).u64(codec::xxh64(as_bytes(file).first(file.size() - 8)));
  return file.replace(file.size() - 8, 8, checksum);
}

Result<VolumeSuperblock> decode(const std::string& file) {
  return decode_volume_superblock(as_bytes(file));
}

TEST(VolumeSuperblock, HasTheseBytes) {
  EXPECT_EQ(hex_of(encode_volume_superblock(example())),
            without_spaces("4e61637265566f6c 0100 93000000"
                           "16 02"
                           "0100000000000000"
                           "0200000000000000"
                           "0000000000000000"
                           "0300000000000000"
                           "202122232425262728292a2b2c2d2e2f"
                           "0807060504030201"
                           "0000000005000000"
                           "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
                           "02"
                           "101112131415161718191a1b1c1d1e1f 00"
                           "303132333435363738393a3b3c3d3e3f 08 2f6465762f736462"
                           "619a5ed6cbe3bd19"));
}

TEST(VolumeSuperblock, ReadsBackWhatWasWritten) {
  const Result<VolumeSuperblock> back = decode(encode_volume_superblock(example()));
  ASSERT_TRUE(back.ok()) << back.error().to_string();
  EXPECT_EQ(*back, example());
}

TEST(VolumeSuperblock, WithAnyBitFlippedIsCorrupt) {
  const std::string file = encode_volume_superblock(example());
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::string bad = file;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    ASSERT_EQ(decode(bad).code(), Code::kCorrupt) << bit;
  }
}

TEST(VolumeSuperblock, CutShortOrGrownIsCorrupt) {
  const std::string file = encode_volume_superblock(example());
  for (size_t length = 0; length < file.size(); ++length) {
    ASSERT_EQ(decode(file.substr(0, length)).code(), Code::kCorrupt) << length;
  }
  EXPECT_EQ(decode(file + '\0').code(), Code::kCorrupt);
}

TEST(VolumeSuperblock, OfUnknownIncompatibleFeaturesNeedsANewerNacre) {
  VolumeSuperblock superblock = example();
  superblock.features.incompat = 0x40;
  const Result<VolumeSuperblock> refused = decode(encode_volume_superblock(superblock));
  EXPECT_EQ(refused.code(), Code::kNewerFormat);
  EXPECT_EQ(refused.error().context(),
            "incompatible features 0x40 are unknown: the volume was written by a later version of "
            "Nacre; use that one");
}

TEST(VolumeSuperblock, OfUnknownReadOnlyFeaturesMayOnlyBeRead) {
  VolumeSuperblock superblock = example();
  EXPECT_TRUE(superblock.must_stay_read_only());
  superblock.features.ro_compat = 0;
  EXPECT_FALSE(superblock.must_stay_read_only());
}

TEST(VolumeSuperblock, OfALaterFormatNeedsANewerNacreWhateverFollows) {
  const std::string file = encode_volume_superblock(example());
  EXPECT_EQ(decode(patched(file, 8, "\x02")).code(), Code::kNewerFormat);
  EXPECT_EQ(decode(patched(file, 8, std::string(6, '\x02'))).code(), Code::kCorrupt);  // its length
  EXPECT_EQ(decode(patched(patched(file, 8, "\x02"), 14, std::string(60, '\xff'))).code(),
            Code::kNewerFormat);
}

TEST(VolumeSuperblock, OfAnUnknownCompressionNeedsANewerNacre) {
  EXPECT_EQ(decode(patched(encode_volume_superblock(example()), kCompressionAt, "\x7f")).code(),
            Code::kNewerFormat);
}

TEST(VolumeSuperblock, ThatDescribesAnImpossibleVolumeIsCorrupt) {
  const std::string file = encode_volume_superblock(example());
  EXPECT_EQ(decode(patched(file, 8, std::string(1, '\0'))).code(), Code::kCorrupt);  // version
  VolumeSuperblock superblock = example();
  for (const uint64_t size : {kMinBlockSize / 2, kMaxBlockSize * 2}) {
    superblock.block_size = size;
    EXPECT_EQ(decode(encode_volume_superblock(superblock)).code(), Code::kCorrupt) << size;
  }
  superblock = example();
  superblock.devices.clear();
  EXPECT_EQ(decode(encode_volume_superblock(superblock)).code(), Code::kCorrupt);
  superblock.devices.resize(kMaxVolumeDevices + 1);
  EXPECT_EQ(decode(encode_volume_superblock(superblock)).code(), Code::kCorrupt);
  superblock.devices = {{{1, 2}, "relative/path"}};
  EXPECT_EQ(decode(encode_volume_superblock(superblock)).code(), Code::kCorrupt);
  superblock.devices = {{{1, 2}, std::string("/with\0zero", 10)}};
  EXPECT_EQ(decode(encode_volume_superblock(superblock)).code(), Code::kCorrupt);
}

TEST(VolumeSuperblock, WithADeviceCountBeyondItsBytesIsCorrupt) {
  EXPECT_EQ(decode(patched(encode_volume_superblock(example()), kDeviceCountAt, "\x05")).code(),
            Code::kCorrupt);
}

TEST(VolumeSuperblock, IsNotFoundInOtherBytes) {
  EXPECT_EQ(decode("").code(), Code::kCorrupt);
  EXPECT_EQ(decode("NacreVol").code(), Code::kCorrupt);
  EXPECT_EQ(decode(std::string(4096, '\0')).code(), Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::wire
