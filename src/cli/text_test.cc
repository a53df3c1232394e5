#include "cli/text.h"

#include <gtest/gtest.h>

namespace nacre::cli {
namespace {

TEST(Text, IsShownWithoutWhatATerminalWouldObey) {
  EXPECT_EQ(printable("plain gr\xc3\xbc\xc3\x9f\xe2\x82\xac \xf0\x9f\x90\x9a"),
            "plain gr\xc3\xbc\xc3\x9f\xe2\x82\xac \xf0\x9f\x90\x9a");
  EXPECT_EQ(printable("\x1b[31mred\n\t\x7f"), "\\x1b[31mred\\x0a\\x09\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");
}

TEST(Text, ThatIsNoUtf8IsShownAsBytes) {
  EXPECT_EQ(printable("a\xff\xfe"), "a\\xff\\xfe");
  EXPECT_EQ(printable("\xc3"), "\\xc3");
  EXPECT_EQ(printable("\xc3("), "\\xc3(");
  EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80");
  EXPECT_EQ(printable("\xe0\x80\x80"), "\\xe0\\x80\\x80");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
}

TEST(Text, IsMeasuredInLetters) {
  EXPECT_EQ(width_of("abc"), 3u);
  EXPECT_EQ(width_of("gr\xc3\xbc\xc3\x9f"), 4u);
}

TEST(Durations, AreReadAndShown) {
  EXPECT_EQ(*parse_duration("90s"), 90'000'000'000u);
  EXPECT_EQ(*parse_duration("2 weeks"), uint64_t{14} * 86400 * 1'000'000'000);
  EXPECT_EQ(*parse_duration("0s"), 0u);
  for (const char* text : {"", "30", "d", "yesterday", "-1d", "30d ago", "2026-01-01"}) {
    EXPECT_EQ(parse_duration(text).code(), Code::kInvalid) << text;
  }
  EXPECT_EQ(duration_text(59), "59 s");
  EXPECT_EQ(duration_text(61), "1 min 01 s");
  EXPECT_EQ(duration_text(3661), "1 h 01 min");
}

}  // namespace
}  // namespace nacre::cli
