#include "model/operation.h"

#include <gtest/gtest.h>

namespace nacre::model {
namespace {

constexpr std::string_view kScript =
    "create /with%20space mode=644\n"
    "write @3/%25 offset=3 length=10 fill=7\n"
    "copy ~2/a to=/b offset=1 length=2 to_offset=3\n"
    "restore ~0/a to=@1\n"
    "power_cut operations=12 again=3\n"
    "check\n";

TEST(Operation, WhatIsPrintedIsReadBackAsItWas) {
  const auto script = parse_script(kScript);
  ASSERT_TRUE(script.ok()) << script.error().to_string();
  EXPECT_EQ(to_string(*script), kScript);
  EXPECT_EQ((*script)[0].path, "/with space");
  EXPECT_EQ((*script)[0].value, 0644u);
  EXPECT_EQ((*script)[2].to, "/b");
  EXPECT_EQ((*script)[2].extra, 3u);
  EXPECT_EQ((*script)[4].kind, Kind::kPowerCut);
}

TEST(Operation, WhatIsNoOperationIsRefused) {
  for (const char* line :
       {"creat /a", "write /a fill=x", "write /a of=3", "create /%4", "read a"}) {
    EXPECT_FALSE(parse_operation(line).ok()) << line;
  }
  EXPECT_TRUE(parse_script("\n# a remark\n  sync /a\n").ok());
}

}  // namespace
}  // namespace nacre::model
