// A block store in memory that keeps its promises to the letter, and no more: blocks that were not
// synced may be gone when the power goes. Calls fail on request.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "block/store.h"
#include "model/faults.h"
#include "os/mutex.h"

namespace nacre::model {

class MemoryBlocks final : public block::Store {
 public:
  MemoryBlocks(uint64_t capacity_bytes, Faults& faults)
      : capacity_(capacity_bytes), faults_(faults) {}

  // Puts take this long, so that much happens meanwhile.
  void slow_down(std::chrono::nanoseconds put_time) { put_time_ = put_time; }
  // The power goes: half of them are gone.
  void lose_unsynced();

  Status put(BlockId id, std::span<const ByteView> parts) override;
  Status sync() override;
  Status read(BlockId id, uint64_t offset, MutableBytes into) override;
  void prefetch(BlockId, uint64_t, uint64_t) override {}
  Status remove(BlockId id) override;
  Result<block::BlockInfo> info(BlockId id) override;
  Status list(const std::function<bool(BlockId, const block::BlockInfo&)>& visit) override;
  block::Space space() override;
  Result<uint64_t> clean(uint64_t) override { return uint64_t{0}; }

 private:
  const uint64_t capacity_;
  Faults& faults_;
  std::chrono::nanoseconds put_time_{0};
  os::Mutex idle_mutex_;
  os::CondVar idle_;  // nobody notifies it
  os::Mutex mutex_;
  std::map<BlockId, std::string> blocks_ GUARDED_BY(mutex_);
  std::set<BlockId> unsynced_ GUARDED_BY(mutex_);
  uint64_t used_ GUARDED_BY(mutex_) = 0;
};

}  // namespace nacre::model
