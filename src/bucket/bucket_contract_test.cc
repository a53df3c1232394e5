#include "bucket/bucket_contract.h"

#include "bucket/memory_bucket.h"
#include "bucket/replaceable_bucket.h"
#include "bucket/retrying_bucket.h"

namespace nacre::bucket {
namespace {

std::unique_ptr<Bucket> make_memory() { return std::make_unique<MemoryBucket>(); }
std::unique_ptr<Bucket> make_retrying() { return std::make_unique<RetryingBucket>(make_memory()); }
std::unique_ptr<Bucket> make_replaceable() {
  return std::make_unique<ReplaceableBucket>(make_memory());
}

INSTANTIATE_TEST_SUITE_P(Memory, BucketContract, testing::Values(make_memory));
INSTANTIATE_TEST_SUITE_P(RetryingMemory, BucketContract, testing::Values(make_retrying));
INSTANTIATE_TEST_SUITE_P(ReplaceableMemory, BucketContract, testing::Values(make_replaceable));

}  // namespace
}  // namespace nacre::bucket
