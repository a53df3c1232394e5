#include "codec/key_wrap.h"

#include <gtest/gtest.h>

#include <string>

namespace nacre::codec {
namespace {

constexpr PassphraseCost kCheap = kMinCost;
const ByteView kVolume = as_bytes("volume");

SealKey some_key() { return SealKey::from_bytes(as_bytes(std::string(32, 'k'))).take(); }

WrappedKey wrapped_by(std::string_view passphrase) {
  return wrap_by_passphrase(some_key(), kVolume, as_bytes(passphrase), kCheap).take();
}

// With the salt 00 to 0f.
WrappedKey stored(KeyWrapping wrapping, PassphraseCost cost, std::string_view sealed_hex) {
  WrappedKey wrapped{.wrapping = wrapping, .cost = cost};
  for (size_t i = 0; i < wrapped.salt.size(); ++i) wrapped.salt[i] = static_cast<std::byte>(i);
  for (size_t i = 0; i < wrapped.sealed.size(); ++i) {
    const std::string digits(sealed_hex.substr(2 * i, 2));
    wrapped.sealed[i] = static_cast<std::byte>(std::stoi(digits, nullptr, 16));
  }
  return wrapped;
}

// Both were made without this code: by libsodium's functions, and Python's hashlib.blake2b.
TEST(WrappedKey, OpensWhatWasStoredBefore) {
  const WrappedKey by_passphrase =
      stored(KeyWrapping::kPassphrase, kCheap,
             "404142434445464748494a4b4c4d4e4f505152535455565765f9dbd7804eb343"
             "7b3f979ce30f0d27a169cb25833e38b3878ba66bc50059460863b69c99ee8a8b"
             "b366f35cbb5de8da");
  const auto key = unwrap_by_passphrase(by_passphrase, kVolume, as_bytes("secret"));
  ASSERT_TRUE(key.ok());
  EXPECT_TRUE(*key == some_key());

  const WrappedKey by_file =
      stored(KeyWrapping::kKeyFile, {},
             "404142434445464748494a4b4c4d4e4f5051525354555657d0cb9fc62caef4ce"
             "75d11702b7f1c52f7415ea24c86bc137e5ba973baeb521e82435a9dc5fe5e0aa"
             "fbbd14d039b62ead");
  const auto key_again = unwrap_by_key_file(by_file, kVolume, as_bytes(std::string(32, 'f')));
  ASSERT_TRUE(key_again.ok());
  EXPECT_TRUE(*key_again == some_key());
}

TEST(WrappedKey, OpensWithItsPassphrase) {
  const Result<SealKey> key =
      unwrap_by_passphrase(wrapped_by("secret"), kVolume, as_bytes("secret"));
  ASSERT_TRUE(key.ok());
  EXPECT_TRUE(*key == some_key());
}

TEST(WrappedKey, SaysThatAPassphraseIsWrong) {
  const Result<SealKey> key =
      unwrap_by_passphrase(wrapped_by("secret"), kVolume, as_bytes("Secret"));
  ASSERT_EQ(key.code(), Code::kAccess);
  EXPECT_EQ(key.error().context(), "the passphrase is wrong");
  EXPECT_EQ(
      unwrap_by_passphrase(wrapped_by("secret"), as_bytes("another"), as_bytes("secret")).code(),
      Code::kAccess);
}

TEST(WrappedKey, OpensWithItsKeyFileAlone) {
  for (const size_t size : {32u, 33u, 65536u}) {
    const std::string file(size, 'f');
    const WrappedKey wrapped = wrap_by_key_file(some_key(), kVolume, as_bytes(file)).take();
    EXPECT_TRUE(*unwrap_by_key_file(wrapped, kVolume, as_bytes(file)) == some_key());
    std::string other = file;
    other.back() = 'g';
    EXPECT_EQ(unwrap_by_key_file(wrapped, kVolume, as_bytes(other)).code(), Code::kAccess);
  }
}

TEST(WrappedKey, IsWrappedAnewForAnotherPassphrase) {
  const SealKey key = unwrap_by_passphrase(wrapped_by("old"), kVolume, as_bytes("old")).take();
  const WrappedKey wrapped = wrap_by_passphrase(key, kVolume, as_bytes("new"), kCheap).take();
  EXPECT_TRUE(*unwrap_by_passphrase(wrapped, kVolume, as_bytes("new")) == some_key());
  EXPECT_EQ(unwrap_by_passphrase(wrapped, kVolume, as_bytes("old")).code(), Code::kAccess);
}

TEST(WrappedKey, OfTheSamePassphraseIsNeverTheSame) {
  EXPECT_NE(wrapped_by("secret").salt, wrapped_by("secret").salt);
  EXPECT_NE(wrapped_by("secret").sealed, wrapped_by("secret").sealed);
}

TEST(WrappedKey, RefusesAnyChangeOfWhatIsStored) {
  const WrappedKey wrapped = wrapped_by("secret");
  for (size_t at = 0; at < wrapped.sealed.size(); ++at) {
    WrappedKey bad = wrapped;
    bad.sealed[at] ^= std::byte{1};
    ASSERT_EQ(unwrap_by_passphrase(bad, kVolume, as_bytes("secret")).code(), Code::kAccess) << at;
  }
  WrappedKey bad = wrapped;
  bad.salt[3] ^= std::byte{1};
  EXPECT_EQ(unwrap_by_passphrase(bad, kVolume, as_bytes("secret")).code(), Code::kAccess);
  bad = wrapped;
  bad.cost.passes = 2;
  EXPECT_EQ(unwrap_by_passphrase(bad, kVolume, as_bytes("secret")).code(), Code::kAccess);
}

TEST(WrappedKey, MakesNobodySpendMoreThanItsBounds) {
  for (const PassphraseCost cost :
       {PassphraseCost{17, 8}, PassphraseCost{1, (1u << 20) + 1},
        PassphraseCost{UINT32_MAX, UINT32_MAX}, PassphraseCost{0, 8}, PassphraseCost{1, 7}}) {
    WrappedKey bad = wrapped_by("secret");
    bad.cost = cost;
    EXPECT_EQ(unwrap_by_passphrase(bad, kVolume, as_bytes("secret")).code(), Code::kCorrupt);
    EXPECT_EQ(wrap_by_passphrase(some_key(), kVolume, as_bytes("secret"), cost).code(),
              Code::kInvalid);
  }
}

TEST(WrappedKey, SaysHowItIsWrapped) {
  const std::string file(32, 'f');
  const WrappedKey by_file = wrap_by_key_file(some_key(), kVolume, as_bytes(file)).take();
  EXPECT_EQ(unwrap_by_passphrase(by_file, kVolume, as_bytes("secret")).code(), Code::kInvalid);
  EXPECT_EQ(unwrap_by_key_file(wrapped_by("secret"), kVolume, as_bytes(file)).code(),
            Code::kInvalid);
}

TEST(WrappedKey, WantsAPassphraseOrAKeyFileOfSomeLength) {
  EXPECT_EQ(wrap_by_passphrase(some_key(), kVolume, {}, kCheap).code(), Code::kInvalid);
  EXPECT_EQ(unwrap_by_passphrase(wrapped_by("secret"), kVolume, {}).code(), Code::kInvalid);
  for (const size_t size : {0u, 31u, 65537u}) {
    EXPECT_EQ(wrap_by_key_file(some_key(), kVolume, as_bytes(std::string(size, 'f'))).code(),
              Code::kInvalid);
  }
}

}  // namespace
}  // namespace nacre::codec
