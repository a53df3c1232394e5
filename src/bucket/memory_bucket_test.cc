#include "bucket/memory_bucket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nacre::bucket {
namespace {

class FaultyMemoryBucket : public testing::Test {
 protected:
  Status put(const std::string& key, std::string_view bytes) {
    const ByteView parts[] = {as_bytes(bytes)};
    return bucket_.put(key, parts);
  }
  std::string listed() {
    std::string keys;
    EXPECT_TRUE(bucket_
                    .list("",
                          [&](const ObjectInfo& each) {
                            keys += each.key;
                            return true;
                          })
                    .ok());
    return keys;
  }
  MemoryBucket bucket_;
};

TEST_F(FaultyMemoryBucket, FailsAsOftenAsAsked) {
  bucket_.fail_next(Operation::kPut, 2, Error(Code::kNoSpace, "full"));
  EXPECT_EQ(put("a", "1").code(), Code::kNoSpace);
  EXPECT_EQ(bucket_.get("a", 1).code(), Code::kNotFound);
  EXPECT_EQ(put("a", "1").code(), Code::kNoSpace);
  EXPECT_TRUE(put("a", "1").ok());
  EXPECT_EQ(bucket_.calls(Operation::kPut), 3u);
}

TEST_F(FaultyMemoryBucket, LosesAnswersOfWhatWasDone) {
  const Error away(Code::kUnavailable, "away");
  bucket_.fail_next(Operation::kPut, 1, away, Effect::kDone);
  EXPECT_EQ(put("a", "1").code(), Code::kUnavailable);
  EXPECT_TRUE(bucket_.get("a", 1).ok());
  bucket_.fail_next(Operation::kRemove, 1, away, Effect::kDone);
  EXPECT_EQ(bucket_.remove("a").code(), Code::kUnavailable);
  EXPECT_EQ(bucket_.get("a", 1).code(), Code::kNotFound);
}

TEST_F(FaultyMemoryBucket, FlipsAByteOfReads) {
  ASSERT_TRUE(put("a", "0000").ok());
  bucket_.damage_next_reads(2, Damage::kFlip);
  EXPECT_EQ(*bucket_.get("a", 4), "0010");
  std::string into(2, '?');
  ASSERT_TRUE(bucket_.read("a", 1, as_writable_bytes(into)).ok());
  EXPECT_EQ(into, "01");
  EXPECT_EQ(*bucket_.get("a", 4), "0000");
}

TEST_F(FaultyMemoryBucket, CutsReads) {
  ASSERT_TRUE(put("a", "abcd").ok());
  bucket_.damage_next_reads(2, Damage::kCut);
  EXPECT_EQ(*bucket_.get("a", 4), "ab");
  std::string into(4, '?');
  ASSERT_TRUE(bucket_.read("a", 0, as_writable_bytes(into)).ok());
  EXPECT_EQ(into, std::string("ab\0\0", 4));
}

TEST_F(FaultyMemoryBucket, ListsWithoutTheNewest) {
  for (const char* key : {"c", "a", "b"}) ASSERT_TRUE(put(key, key).ok());
  bucket_.hide_newest(1);
  EXPECT_EQ(listed(), "ac");
  EXPECT_TRUE(bucket_.get("b", 1).ok());
  ASSERT_TRUE(put("d", "d").ok());
  EXPECT_EQ(listed(), "abc");
  bucket_.hide_newest(9);
  EXPECT_EQ(listed(), "");
  bucket_.hide_newest(0);
  EXPECT_EQ(listed(), "abcd");
}

TEST(MemoryBucket, FailsFromSomeCallOn) {
  MemoryBucket bucket;
  const ByteView nothing;
  bucket.fail_from(Operation::kPut, 2, Error(Code::kUnavailable, "away"), Effect::kDone);
  EXPECT_TRUE(bucket.put("a", {&nothing, 1}).ok());
  EXPECT_TRUE(bucket.put("b", {&nothing, 1}).ok());
  EXPECT_EQ(bucket.put("c", {&nothing, 1}).code(), Code::kUnavailable);
  EXPECT_EQ(bucket.put("d", {&nothing, 1}).code(), Code::kUnavailable);
  EXPECT_TRUE(bucket.info("d").ok());
}

TEST(MemoryBucket, HasNoMoreRoomThanItIsGiven) {
  MemoryBucket bucket;
  const std::string bytes(100, 'x');
  const ByteView part = as_bytes(bytes);
  bucket.set_capacity(150);
  EXPECT_TRUE(bucket.put("a", {&part, 1}).ok());
  EXPECT_EQ(bucket.put("b", {&part, 1}).code(), Code::kNoSpace);
  EXPECT_TRUE(bucket.put("a", {&part, 1}).ok());  // in the place of the first
}

}  // namespace
}  // namespace nacre::bucket
