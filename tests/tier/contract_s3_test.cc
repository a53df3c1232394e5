// The contract of buckets, on a real server.
#include "bucket/bucket_contract.h"
#include "bucket/retrying_bucket.h"
#include "bucket/s3_bucket.h"
#include "s3_server.h"

namespace nacre::bucket {
namespace {

S3Server& server() {
  static S3Server running;
  return running;
}

std::unique_ptr<Bucket> make_s3() {
  S3Options options = options_for(server().url());
  options.stall_timeout = std::chrono::seconds(20);
  auto bucket = S3Bucket::open(std::move(options));
  EXPECT_TRUE(bucket.ok());
  return bucket.take();
}

std::unique_ptr<Bucket> make_retrying_s3() { return std::make_unique<RetryingBucket>(make_s3()); }

INSTANTIATE_TEST_SUITE_P(S3, BucketContract, testing::Values(make_s3));
INSTANTIATE_TEST_SUITE_P(RetryingS3, BucketContract, testing::Values(make_retrying_s3));

}  // namespace
}  // namespace nacre::bucket
