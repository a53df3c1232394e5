// Removing a volume from its bucket. Free functions; for one thread at a time, while nobody writes
// the volume.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bucket/bucket.h"

namespace nacre::tier {

struct EmptiedBucket {
  uint64_t objects = 0;                   // removed
  std::vector<std::string> foreign = {};  // names that are not Nacre's: they stay
};

// Removes every object of the volume: the manifests of checkpoints first, so that nobody recovers
// it any more; then, if `may_go_on` says so, the rest; the descriptors last, so that meanwhile
// nobody takes the bucket for free, and who is interrupted finds whose it is. With `has_volume`
// false, there being no descriptor, nothing is removed. `progress` is called by one thread at a
// time.
Result<EmptiedBucket> empty_bucket(bucket::Bucket& bucket, bool has_volume,
                                   const std::function<Status()>& may_go_on,
                                   const std::function<void(uint64_t, uint64_t)>& progress);

}  // namespace nacre::tier
