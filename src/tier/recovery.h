// The rows of a volume from its bucket: the newest checkpoint, and every batch of the row log after
// it that is there. For one thread; whoever recovers has begun an epoch of his own before, so that
// nobody adds to what is read.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "bucket/bucket.h"
#include "codec/protection.h"
#include "kv/store.h"
#include "wire/bucket_layout.h"

namespace nacre::tier {

struct Recovered {
  uint32_t epoch = 0;    // of those who wrote what was recovered
  uint64_t batch = 0;    // the last one
  Timestamp time = {};   // of it
  uint64_t rows = 0;     // of the checkpoint
  uint64_t batches = 0;  // after it
  uint64_t segments = 0;
};

// How many bytes of the checkpoint were read, and of how many.
using RecoveryProgress = std::function<void(uint64_t done, uint64_t total)>;

// Fills `into`, which is empty; not durable before its sync(). kNotFound when no checkpoint is
// there; kCorrupt with the object that is damaged or lacks; kAccess without the key.
Result<Recovered> recover_rows(bucket::Bucket& bucket, wire::VolumeId volume,
                               const codec::Protection& protection, kv::Store& into,
                               const RecoveryProgress& progress);

}  // namespace nacre::tier
