#include "wire/bucket_layout.h"

#include <gtest/gtest.h>

#include "wire/bucket_fault.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

constexpr NameKey kNameKey = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr VolumeId kVolume{0x2021222324252627, 0x28292a2b2c2d2e2f};

BucketVolume plain_volume() {
  return {.features = {.compat = 1, .ro_compat = 2},
          .generation = 3,
          .volume = kVolume,
          .created = {0x0102030405060708},
          .block_size = 1u << 22,
          .compression = codec::Compression::kZstd};
}

BucketVolume sealed_volume() {
  BucketVolume volume = plain_volume();
  codec::WrappedKey key{.wrapping = codec::KeyWrapping::kPassphrase,
                        .cost = {.passes = 3, .memory_kib = 262144}};
  key.salt.fill(std::byte{0x53});
  key.sealed.fill(std::byte{0x4b});
  volume.key = key;
  return volume;
}

std::string plain_object() { return encode_bucket_volume(plain_volume(), kNameKey, {}); }
std::string sealed_object() {
  return encode_bucket_volume(sealed_volume(), kNameKey, sealing_with('k'));
}

Code volume_code(const std::string& object) {
  return decode_bucket_volume(as_bytes(object)).code();
}
Code key_code(const std::string& object, const codec::Protection& protection) {
  return open_name_key(as_bytes(object), protection).code();
}

EpochObject epoch() {
  return {.volume = kVolume, .epoch = 4, .begun = {256}, .writer = {1, 2}, .host = "host"};
}
Code epoch_code(const std::string& object, VolumeId volume = kVolume, uint32_t number = 4) {
  return decode_epoch(as_bytes(object), volume, number).code();
}

constexpr std::string_view kVolumeFields =
    "0100000000000000 0200000000000000 0000000000000000"
    "202122232425262728292a2b2c2d2e2f 0807060504030201 03000000 16 02";

TEST(BucketVolume, HasTheseBytes) {
  EXPECT_EQ(hex_of(plain_object()),
            without_spaces("4e434256 0100 0000" + std::string(kVolumeFields) +
                           "00"
                           "0102030405060708090a0b0c0d0e0f10 7349b844cc9a88a0 13492b6d6a53cca9"));
}

TEST(BucketVolume, OfASealedVolumeHasTheseBytes) {
  const std::string object = sealed_object();
  const std::string_view open_bytes = std::string_view(object).substr(0, object.size() - 64);
  std::string salt;
  for (int i = 0; i < 16; ++i) salt += "53";
  std::string key;
  for (int i = 0; i < 72; ++i) key += "4b";
  EXPECT_EQ(hex_of(open_bytes), without_spaces("4e434256 0100 0100" + std::string(kVolumeFields) +
                                               "01 03000000 00000400" + salt + key));
}

TEST(BucketVolume, ReadsBackWhatWasWritten) {
  const auto plain = decode_bucket_volume(as_bytes(plain_object()));
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(*plain, plain_volume());
  EXPECT_EQ(*open_name_key(as_bytes(plain_object()), {}), kNameKey);

  const auto sealed = decode_bucket_volume(as_bytes(sealed_object()));
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(*sealed, sealed_volume());
  EXPECT_EQ(*open_name_key(as_bytes(sealed_object()), sealing_with('k')), kNameKey);
  EXPECT_TRUE(sealed->must_stay_read_only());
}

TEST(BucketVolume, KeepsItsNameKeyFromWhoeverLacksTheKey) {
  const std::string object = sealed_object();
  EXPECT_EQ(object.find("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"), std::string::npos);
  EXPECT_EQ(key_code(object, {}), Code::kAccess);
  EXPECT_EQ(key_code(object, sealing_with('l')), Code::kCorrupt);
  EXPECT_EQ(key_code(plain_object(), sealing_with('k')), Code::kCorrupt);
}

TEST(BucketVolume, OpensWithThePassphraseItWasMadeWith) {
  const codec::SealKey key = codec::SealKey::random();
  BucketVolume volume = plain_volume();
  volume.key = codec::wrap_by_passphrase(key, as_bytes(key_associated(kVolume)), as_bytes("secret"),
                                         codec::kMinCost)
                   .take();
  const std::string object = encode_bucket_volume(volume, kNameKey, codec::Protection(key));

  const BucketVolume found = decode_bucket_volume(as_bytes(object)).take();
  const auto opened = codec::unwrap_by_passphrase(
      *found.key, as_bytes(key_associated(found.volume)), as_bytes("secret"));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(*open_name_key(as_bytes(object), codec::Protection(*opened)), kNameKey);
}

TEST(BucketVolume, WithAnyBitFlippedOrCutOffIsCorrupt) {
  for (const std::string& object : {plain_object(), sealed_object()}) {
    for (size_t bit = 0; bit < object.size() * 8; ++bit) {
      ASSERT_EQ(volume_code(with_bit_flipped(object, bit)), Code::kCorrupt) << bit;
    }
    for (size_t length = 0; length < object.size(); ++length) {
      ASSERT_EQ(volume_code(object.substr(0, length)), Code::kCorrupt) << length;
      ASSERT_EQ(volume_code(with_good_sum(object.substr(0, length))), Code::kCorrupt) << length;
    }
  }
}

// The sum of a frame can be made good by anybody; the seal cannot.
TEST(BucketVolume, OfASealedVolumeCannotBeForged) {
  const std::string object = sealed_object();
  for (size_t bit = 0; bit < (object.size() - 8) * 8; ++bit) {
    const std::string forged = with_good_sum(with_bit_flipped(object, bit));
    ASSERT_FALSE(open_name_key(as_bytes(forged), sealing_with('k')).ok()) << bit;
  }
}

TEST(BucketVolume, OfUnknownFeaturesOrKeysNeedsANewerNacre) {
  EXPECT_EQ(volume_code(patched_frame(plain_object(), 24, "\x40")), Code::kNewerFormat);
  EXPECT_EQ(volume_code(patched_frame(plain_object(), 61, "\x03")), Code::kNewerFormat);
  EXPECT_EQ(volume_code(patched_frame(plain_object(), 62, "\x03")), Code::kNewerFormat);
}

TEST(BucketVolume, ThatIsImpossibleIsCorrupt) {
  EXPECT_EQ(volume_code(patched_frame(plain_object(), 60, "\x0f")), Code::kCorrupt);
  EXPECT_EQ(volume_code(patched_frame(plain_object(), 60, "\x1b")), Code::kCorrupt);
  EXPECT_EQ(volume_code(patched_frame(plain_object(), 62, "\x01")), Code::kCorrupt);
  EXPECT_EQ(volume_code(plain_object() + "x"), Code::kCorrupt);
  EXPECT_EQ(volume_code(std::string(kMaxDescriptorObjectBytes + 1, 'x')), Code::kCorrupt);
}

TEST(Epoch, HasTheseBytes) {
  EXPECT_EQ(hex_of(encode_epoch(epoch())),
            without_spaces("4e434245 0100 0000"
                           "202122232425262728292a2b2c2d2e2f 04000000 0001000000000000"
                           "00000000000000010000000000000002 04 686f7374 0191c967ed8e2190"));
}

TEST(Epoch, ReadsBackWhatWasWritten) {
  const auto back = decode_epoch(as_bytes(encode_epoch(epoch())), kVolume, 4);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, epoch());
}

TEST(Epoch, KeepsAHostNameThatPeopleCanBeShown) {
  EpochObject odd = epoch();
  odd.host = "a\nb\x1b[2J\xff" + std::string(300, 'c');
  const auto back = decode_epoch(as_bytes(encode_epoch(odd)), kVolume, 4);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->host, "a?b?[2J?" + std::string(247, 'c'));
  EXPECT_EQ(epoch_code(patched_frame(encode_epoch(epoch()), 53, "\n")), Code::kCorrupt);
}

TEST(Epoch, WithAnyBitFlippedOrOfAnotherNumberOrVolumeIsCorrupt) {
  const std::string object = encode_epoch(epoch());
  for (size_t bit = 0; bit < object.size() * 8; ++bit) {
    ASSERT_EQ(epoch_code(with_bit_flipped(object, bit)), Code::kCorrupt) << bit;
  }
  EXPECT_EQ(epoch_code(object, {1, 2}), Code::kCorrupt);
  EXPECT_EQ(epoch_code(object, kVolume, 5), Code::kCorrupt);
  EXPECT_EQ(epoch_code(patched_frame(object, 6, "\x01")), Code::kNewerFormat);
  EXPECT_EQ(epoch_code(std::string(kMaxDescriptorObjectBytes + 1, 'x')), Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::wire
