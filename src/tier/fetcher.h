// Reads blocks out of their packs in the bucket, in parts of 256 KiB, and keeps the parts on the
// devices for those who read them again. Thread-safe.
//
// Who wants a part that somebody else is fetching waits for that. Of a block that is read from part
// to part, twice as many parts are fetched with each request, up to a whole one of 4 MiB. All that
// is given out was verified after it came: what does not verify is asked for a second time, and is
// kCorrupt then.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "block/part_store.h"
#include "bucket/bucket.h"
#include "os/mutex.h"
#include "tier/pack_builder.h"
#include "wire/pack_layout.h"

namespace nacre::tier {

inline constexpr uint64_t kPartBytes = 256 * kKiB;
inline constexpr uint32_t kMaxPartsPerRequest = 16;

struct FetchCounters {
  uint64_t requests = 0;
  uint64_t bytes = 0;            // of units, as stored in the bucket
  uint64_t damaged_answers = 0;  // that did not verify
};

class Fetcher {
 public:
  // Somebody kept that many bytes more of the block on the devices.
  using Kept = std::function<void(BlockId id, uint64_t bytes)>;
  // Makes room on the devices for that many bytes, without waiting; false if there is none.
  using MakeRoom = std::function<bool(uint64_t bytes)>;

  Fetcher(block::PartStore& parts, bucket::Bucket& bucket, const PackFormat& format, Kept kept,
          MakeRoom make_room);

  // Fills `into` with the bytes at `offset` of the block. kOutOfRange past its end; kUnavailable
  // while the bucket is away; kCorrupt when what it has is not the block; kIo, with what to do,
  // when it refuses; kCancelled.
  Status read(const wire::PackLocation& location, uint64_t offset, MutableBytes into);
  // The same range, to be kept; kAccess when the bucket refuses.
  Status fetch(const wire::PackLocation& location, uint64_t offset, uint64_t length);
  FetchCounters counters();

 private:
  // A request; known to others until its parts are kept.
  struct Flight {
    void land(const Status& outcome);

    os::Mutex mutex;
    os::CondVar landed;
    bool done GUARDED_BY(mutex) = false;
    Status status GUARDED_BY(mutex);
    uint32_t first_part = 0;
    std::string bytes;  // of all its parts; constant once it is done
  };
  using FlightPtr = std::shared_ptr<Flight>;
  struct PartKey {
    BlockId block;
    uint32_t part = 0;
    friend auto operator<=>(const PartKey&, const PartKey&) = default;
  };
  // How a block is being read.
  struct Stride {
    uint32_t next_part = 0;
    uint32_t width = 1;  // parts in the next request
  };
  struct Claim {
    FlightPtr flight;
    uint32_t parts = 0;  // of a new flight, which the caller is to make; 0: somebody else does
  };

  Status read_part(const wire::PackLocation& location, uint32_t part, uint64_t offset,
                   MutableBytes into, uint32_t last_wanted);
  Claim claim(const wire::PackLocation& location, uint32_t part, uint32_t last_wanted);
  void forget(BlockId id, const Flight& flight, uint32_t parts);
  Status load(const wire::PackLocation& location, uint32_t first, uint32_t parts,
              std::string& bytes);
  Status load_once(const wire::PackLocation& location, uint32_t first, uint32_t parts,
                   std::string& bytes);
  void keep(const wire::PackLocation& location, const Flight& flight, uint32_t parts);

  block::PartStore& parts_;
  bucket::Bucket& bucket_;
  const PackFormat& format_;
  const Kept kept_;
  const MakeRoom make_room_;
  os::Mutex mutex_;  // before a flight's own
  std::map<PartKey, FlightPtr> flights_ GUARDED_BY(mutex_);
  std::unordered_map<BlockId, Stride> strides_ GUARDED_BY(mutex_);
  FetchCounters counters_ GUARDED_BY(mutex_);
};

}  // namespace nacre::tier
