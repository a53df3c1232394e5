#include "bucket/bucket_contract.h"

#include "bucket/memory_bucket.h"

namespace nacre::bucket {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, BucketContract, testing::Values([] {
                           return std::unique_ptr<Bucket>(std::make_unique<MemoryBucket>());
                         }));

}  // namespace
}  // namespace nacre::bucket
