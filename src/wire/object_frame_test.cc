#include "wire/object_frame.h"

#include <gtest/gtest.h>

#include "wire/bucket_fault.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

std::string framed(std::string_view fields, bool sealed) {
  std::string bytes;
  begin_frame(bytes, "TEST", sealed);
  bytes += fields;
  end_frame(bytes);
  return bytes;
}

Result<ObjectFrame> open(const std::string& bytes) {
  return open_frame(as_bytes(bytes), "TEST", "test object");
}

TEST(ObjectFrame, HasTheseBytes) {
  EXPECT_EQ(hex_of(framed("ab", true)), without_spaces("54455354 0100 0100 6162 b963c6b77a360bf3"));
}

TEST(ObjectFrame, GivesBackItsFields) {
  for (const bool sealed : {false, true}) {
    const std::string bytes = framed("fields", sealed);
    const Result<ObjectFrame> frame = open(bytes);
    ASSERT_TRUE(frame.ok());
    EXPECT_EQ(as_text(frame->fields), "fields");
    EXPECT_EQ(frame->sealed, sealed);
  }
}

TEST(ObjectFrame, IsCorruptWithAnyBitFlippedOrCutOff) {
  const std::string bytes = framed("fields", true);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    ASSERT_EQ(open(with_bit_flipped(bytes, bit)).code(), Code::kCorrupt) << bit;
  }
  for (size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_EQ(open(bytes.substr(0, length)).code(), Code::kCorrupt) << length;
  }
}

TEST(ObjectFrame, OfALaterVersionOrWithUnknownFlagsNeedsANewerNacre) {
  const Result<ObjectFrame> later = open(patched_frame(framed("", false), 4, "\x02"));
  ASSERT_EQ(later.code(), Code::kNewerFormat);
  EXPECT_EQ(later.error().context(),
            "test object of format 2: written by a later version of Nacre; use that one");
  EXPECT_EQ(open(patched_frame(framed("", false), 6, "\x02")).code(), Code::kNewerFormat);
  EXPECT_EQ(open(patched_frame(framed("", false), 4, std::string_view("\0", 1))).code(),
            Code::kCorrupt);
}

TEST(ObjectFrame, MustBeSealedIfTheVolumeIs) {
  EXPECT_TRUE(check_sealing(false, codec::Protection(), "it").ok());
  EXPECT_TRUE(check_sealing(true, sealing_with('k'), "it").ok());
  EXPECT_EQ(check_sealing(true, codec::Protection(), "it").code(), Code::kAccess);
  EXPECT_EQ(check_sealing(false, sealing_with('k'), "it").code(), Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::wire
