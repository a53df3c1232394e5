#include "bucket/replaceable_bucket.h"

#include <gtest/gtest.h>

#include "bucket/memory_bucket.h"

namespace nacre::bucket {
namespace {

std::unique_ptr<Bucket> bucket_with(const std::string& key) {
  auto bucket = std::make_unique<MemoryBucket>();
  EXPECT_TRUE(bucket->put(key, {}).ok());
  return bucket;
}

TEST(ReplaceableBucket, AsksTheOneThatReplacedTheFirst) {
  ReplaceableBucket bucket(bucket_with("first"));
  EXPECT_TRUE(bucket.info("first").ok());
  bucket.replace(bucket_with("second"));
  EXPECT_EQ(bucket.info("first").code(), Code::kNotFound);
  EXPECT_TRUE(bucket.info("second").ok());
}

TEST(ReplaceableBucket, AfterStopNoneThatComesIsAskedAnything) {
  ReplaceableBucket bucket(bucket_with("first"));
  bucket.stop();
  EXPECT_EQ(bucket.info("first").code(), Code::kCancelled);
  bucket.replace(bucket_with("second"));
  EXPECT_EQ(bucket.info("second").code(), Code::kCancelled);
}

}  // namespace
}  // namespace nacre::bucket
