#include "kv/store.h"

#include <gtest/gtest.h>

namespace nacre::kv {
namespace {

using namespace std::string_literals;

TEST(PrefixEnd, IsTheNextKeyThatDoesNotStartWithThePrefix) {
  EXPECT_EQ(prefix_end("a"), "b");
  EXPECT_EQ(prefix_end("ab"), "ac");
  EXPECT_EQ(prefix_end("a\0"s), "a\1"s);
  EXPECT_EQ(prefix_end("a\x7f"), "a\x80");
}

TEST(PrefixEnd, CarriesOverBytesThatCannotGrow) {
  EXPECT_EQ(prefix_end("a\xff"), "b");
  EXPECT_EQ(prefix_end("a\xff\xff"), "b");
  EXPECT_EQ(prefix_end("\xfe\xff"), "\xff");
}

TEST(PrefixEnd, IsEmptyWhereNoKeyIsGreater) {
  EXPECT_EQ(prefix_end(""), "");
  EXPECT_EQ(prefix_end("\xff"), "");
  EXPECT_EQ(prefix_end("\xff\xff"), "");
}

TEST(Batch, CountsBytesOfKeysAndValues) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  batch.put(Family::kLive, "key", "value");
  batch.erase(Family::kPast, "other");
  EXPECT_FALSE(batch.empty());
  EXPECT_EQ(batch.bytes(), 13u);
}

}  // namespace
}  // namespace nacre::kv
