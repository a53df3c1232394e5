#include "codec/seal.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace nacre::codec {
namespace {

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string counting(uint8_t first, size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes += static_cast<char>(first + i);
  return bytes;
}

SealKey key_from(uint8_t first) {
  return SealKey::from_bytes(as_bytes(counting(first, 32))).take();
}

std::string sealed(const Sealer& sealer, std::string_view plain, std::string_view associated) {
  std::string bytes(plain.size() + Sealer::kOverheadBytes, '\0');
  sealer.seal(as_bytes(plain), as_bytes(associated), as_writable_bytes(bytes));
  return bytes;
}

// What opens, or the name of the error.
std::string opened(const Sealer& sealer, std::string_view bytes, std::string_view associated) {
  std::string plain(bytes.size() - Sealer::kOverheadBytes, '?');
  const Status status =
      sealer.open(as_bytes(bytes), as_bytes(associated), as_writable_bytes(plain));
  return status.ok() ? plain : std::string(name_of(status.code()));
}

template <class T>
concept IsPrintable = requires(std::ostream& out, const T& value) { out << value; };

const std::string kCorruptName(name_of(Code::kCorrupt));

// The example of draft-irtf-cfrg-xchacha-03, A.3.1.
TEST(Sealer, OpensTheExampleOfItsSpecification) {
  const std::string nonce = counting(0x40, 24);
  const std::string body = bytes_of(
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
      "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
      "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
      "21f9664c97637da9768812f615c68b13b52e"
      "c0875924c1c7987947deafd8780acf49");
  EXPECT_EQ(opened(Sealer(key_from(0x80)), nonce + body, bytes_of("50515253c0c1c2c3c4c5c6c7")),
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
            "future, sunscreen would be it.");
}

TEST(Sealer, GivesBackWhatItSealed) {
  const Sealer sealer(SealKey::random());
  for (const size_t size : {0u, 1u, 40u, 65536u}) {
    const std::string plain = counting(3, size);
    const std::string bytes = sealed(sealer, plain, "place");
    EXPECT_EQ(bytes.size(), size + 40);
    EXPECT_EQ(opened(sealer, bytes, "place"), plain);
  }
  EXPECT_EQ(opened(sealer, sealed(sealer, "", ""), ""), "");
}

TEST(Sealer, SealsTheSameBytesDifferentlyEachTime) {
  const Sealer sealer(key_from(1));
  EXPECT_NE(sealed(sealer, "same", "place"), sealed(sealer, "same", "place"));
}

TEST(Sealer, RefusesEveryFlippedBit) {
  const Sealer sealer(key_from(1));
  const std::string bytes = sealed(sealer, "some bytes", "place");
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    ASSERT_EQ(opened(sealer, bad, "place"), kCorruptName) << bit;
  }
}

TEST(Sealer, RefusesAnotherKeyPlaceOrLengthAndLeavesNothing) {
  const Sealer sealer(key_from(1));
  const std::string bytes = sealed(sealer, "some bytes", "place");
  EXPECT_EQ(opened(Sealer(key_from(2)), bytes, "place"), kCorruptName);
  EXPECT_EQ(opened(sealer, bytes, "Place"), kCorruptName);
  EXPECT_EQ(opened(sealer, bytes, ""), kCorruptName);
  for (const size_t size : {0u, 9u, 11u, 64u}) {
    std::string into(size, '?');
    EXPECT_EQ(sealer.open(as_bytes(bytes), as_bytes("place"), as_writable_bytes(into)).code(),
              Code::kCorrupt);
    EXPECT_EQ(into, std::string(size, '\0'));
  }
  std::string none;
  EXPECT_EQ(sealer.open(as_bytes("short"), {}, as_writable_bytes(none)).code(), Code::kCorrupt);
  EXPECT_EQ(sealer.open({}, {}, {}).code(), Code::kCorrupt);
}

TEST(SealKey, HasThirtyTwoBytesAndIsNeverPrinted) {
  EXPECT_EQ(SealKey::from_bytes(as_bytes("short")).code(), Code::kInvalid);
  EXPECT_TRUE(key_from(1) == key_from(1));
  EXPECT_FALSE(key_from(1) == key_from(2));
  EXPECT_FALSE(SealKey::random() == SealKey::random());
  EXPECT_FALSE(IsPrintable<SealKey>);
}

// The digest is that of Python's hashlib.blake2b.
TEST(KeyedHash, IsBlake2bHoweverThePartsAreCut) {
  const std::string key = counting(0, 32);
  const Fingerprint wanted{0x8e20365350d5eba5, 0x297ff2f8b694950b};
  for (size_t cut = 0; cut <= 11; ++cut) {
    const std::string_view text = "hello world";
    const std::vector<ByteView> parts = {as_bytes(text.substr(0, cut)), as_bytes(text.substr(cut))};
    EXPECT_EQ(keyed_hash(as_bytes(key), parts), wanted);
  }
}

TEST(KeyedHash, DiffersByKeyAndBytes) {
  const ByteView one[] = {as_bytes("one")};
  const ByteView two[] = {as_bytes("two")};
  const std::string key = counting(0, 16);
  EXPECT_NE(keyed_hash(as_bytes(key), one), keyed_hash(as_bytes(key), two));
  EXPECT_NE(keyed_hash(as_bytes(key), one), keyed_hash(as_bytes(counting(1, 16)), one));
  EXPECT_NE(keyed_hash(as_bytes(key), {}), keyed_hash(as_bytes(key), one));
}

}  // namespace
}  // namespace nacre::codec
