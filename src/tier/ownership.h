// Whose a bucket is: the descriptor of the volume in it, and the epochs of those who wrote, of
// which the last one may. Objects are found by listing, and what a listing may lack by asking for
// the next number. Free functions, safe from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "bucket/bucket.h"
#include "wire/bucket_layout.h"

namespace nacre::tier {

// Of the bucket, or what of it is below the prefix.
struct FoundVolume {
  wire::BucketVolume volume = {};
  std::string object = {};  // its descriptor, for open_name_key()
};
// The descriptor with the highest generation. kNotFound when there is none.
Result<FoundVolume> find_volume(bucket::Bucket& bucket);
// Where a new volume may begin.
struct FreeBucket {
  uint32_t generation = 1;  // of its first descriptor
  uint32_t epoch = 1;
};
// kExists, with what is there, unless there is nothing; or, with `replace_name`, nothing but the
// name of a volume of which nothing was ever uploaded, as who dies while making it leaves it.
Result<FreeBucket> find_free(bucket::Bucket& bucket, bool replace_name);
// The descriptors of earlier generations go.
Status remove_descriptors_before(bucket::Bucket& bucket, uint32_t generation);

// The last epoch; 0 when there is none.
Result<uint32_t> last_epoch(bucket::Bucket& bucket);
// Begins an epoch, the one after the last: from then on nobody who wrote before may. kBusy when
// somebody else began it at the same time.
Status begin_epoch(bucket::Bucket& bucket, const wire::EpochObject& epoch);
// kAccess, with who it was, when a later epoch has begun.
Status check_epoch(bucket::Bucket& bucket, wire::VolumeId volume, uint32_t epoch);

}  // namespace nacre::tier
