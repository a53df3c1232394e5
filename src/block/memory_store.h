// Blocks in memory: for tests and simulation. Thread-safe. Durable never.
#pragma once

#include <atomic>
#include <map>
#include <string>

#include "block/store.h"
#include "os/mutex.h"

namespace nacre::block {

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(uint64_t capacity_bytes) : capacity_(capacity_bytes) {}

  Status put(BlockId id, std::span<const ByteView> parts) override;
  Status sync() override { return {}; }
  Status read(BlockId id, uint64_t offset, MutableBytes into) override;
  void prefetch(BlockId, uint64_t, uint64_t length) override { hinted_bytes_ += length; }
  Status remove(BlockId id) override;
  Result<BlockInfo> info(BlockId id) override;
  Status list(const std::function<bool(BlockId, const BlockInfo&)>& visit) override;
  Space space() override;
  Result<uint64_t> clean(uint64_t) override { return uint64_t{0}; }

  // Over all calls of prefetch().
  uint64_t hinted_bytes() const { return hinted_bytes_; }

 private:
  const uint64_t capacity_;
  std::atomic<uint64_t> hinted_bytes_ = 0;
  os::Mutex mutex_;  // a leaf
  std::map<BlockId, std::string> blocks_ GUARDED_BY(mutex_);
  uint64_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace nacre::block
