// Blocks in memory that rot when told to: for tests.
#pragma once

#include <functional>
#include <set>

#include "block/memory_store.h"
#include "os/mutex.h"

namespace nacre::keeper {

class TestBlocks final : public block::Store {
 public:
  explicit TestBlocks(uint64_t capacity_bytes) : store_(capacity_bytes) {}

  // The bytes stay, but reading any of them fails.
  void rot(BlockId id) {
    const os::Lock lock(mutex_);
    rotten_.insert(id);
  }
  // That many syncs are refused.
  void refuse_syncs(int count) {
    const os::Lock lock(mutex_);
    refused_syncs_ = count;
  }
  // Called at the beginning of each put, without locks.
  void on_put(std::function<void()> hook) {
    const os::Lock lock(mutex_);
    on_put_ = std::move(hook);
  }
  // While full, every put is refused.
  void set_full(bool full) {
    const os::Lock lock(mutex_);
    full_ = full;
  }
  bool contains(BlockId id) { return store_.info(id).ok(); }
  size_t count() {
    size_t blocks = 0;
    (void)store_.list([&](BlockId, const block::BlockInfo&) { return ++blocks, true; }).ok();
    return blocks;
  }
  uint64_t bytes() { return store_.space().live_bytes; }

  Status read(BlockId id, uint64_t offset, MutableBytes into) override {
    {
      const os::Lock lock(mutex_);
      if (rotten_.contains(id)) return Error(Code::kCorrupt, "block " + to_hex(id) + " is rotten");
    }
    return store_.read(id, offset, into);
  }
  Status put(BlockId id, std::span<const ByteView> parts) override {
    std::function<void()> hook;
    {
      const os::Lock lock(mutex_);
      if (full_) return Code::kNoSpace;
      hook = on_put_;
    }
    if (hook) hook();
    return store_.put(id, parts);
  }
  Status sync() override {
    {
      const os::Lock lock(mutex_);
      if (refused_syncs_ > 0 && refused_syncs_-- > 0) return Code::kNoSpace;
    }
    return store_.sync();
  }
  void prefetch(BlockId id, uint64_t offset, uint64_t length) override {
    store_.prefetch(id, offset, length);
  }
  Status remove(BlockId id) override { return store_.remove(id); }
  Result<block::BlockInfo> info(BlockId id) override { return store_.info(id); }
  Status list(const std::function<bool(BlockId, const block::BlockInfo&)>& visit) override {
    return store_.list(visit);
  }
  block::Space space() override { return store_.space(); }
  Result<uint64_t> clean(uint64_t bytes) override { return store_.clean(bytes); }

 private:
  block::MemoryStore store_;
  os::Mutex mutex_;  // a leaf
  std::set<BlockId> rotten_ GUARDED_BY(mutex_);
  bool full_ GUARDED_BY(mutex_) = false;
  int refused_syncs_ GUARDED_BY(mutex_) = 0;
  std::function<void()> on_put_ GUARDED_BY(mutex_);
};

}  // namespace nacre::keeper
