// Blocks in memory that can rot, vanish and run out of room: for tests.
#pragma once

#include <map>
#include <set>

#include "block/store.h"
#include "os/mutex.h"

namespace nacre::keeper {

class TestBlocks final : public block::Store {
 public:
  // The block's bytes stay, but reading any of them fails.
  void rot(BlockId id) {
    const os::Lock lock(mutex_);
    rotten_.insert(id);
  }
  void set_capacity(uint64_t bytes) {
    const os::Lock lock(mutex_);
    capacity_ = bytes;
  }
  bool contains(BlockId id) {
    const os::Lock lock(mutex_);
    return blocks_.contains(id);
  }
  size_t count() {
    const os::Lock lock(mutex_);
    return blocks_.size();
  }
  uint64_t bytes() {
    const os::Lock lock(mutex_);
    return live_bytes();
  }

  Status put(BlockId id, std::span<const ByteView> parts) override {
    const os::Lock lock(mutex_);
    if (blocks_.contains(id)) return Code::kExists;
    std::string bytes;
    for (const ByteView part : parts) bytes.append(as_text(part));
    if (live_bytes() + dead_ + bytes.size() > capacity_) return Code::kNoSpace;
    blocks_.emplace(id, std::move(bytes));
    return {};
  }
  Status sync() override { return {}; }
  Status read(BlockId id, uint64_t offset, MutableBytes into) override {
    const os::Lock lock(mutex_);
    const auto block = blocks_.find(id);
    if (block == blocks_.end()) return Error(Code::kNotFound, "no block " + to_hex(id));
    if (rotten_.contains(id)) return Error(Code::kCorrupt, "block " + to_hex(id) + " is rotten");
    if (offset > block->second.size() || into.size() > block->second.size() - offset) {
      return Code::kOutOfRange;
    }
    const ByteView from = as_bytes(block->second).subspan(offset, into.size());
    std::copy(from.begin(), from.end(), into.begin());
    return {};
  }
  void prefetch(BlockId, uint64_t, uint64_t) override {}
  Status remove(BlockId id) override {
    const os::Lock lock(mutex_);
    const auto block = blocks_.find(id);
    if (block == blocks_.end()) return {};
    dead_ += block->second.size();
    blocks_.erase(block);
    return {};
  }
  Result<block::BlockInfo> info(BlockId id) override {
    const os::Lock lock(mutex_);
    const auto block = blocks_.find(id);
    if (block == blocks_.end()) return Code::kNotFound;
    return block::BlockInfo{block->second.size(), block->second.size()};
  }
  Status list(const std::function<bool(BlockId, const block::BlockInfo&)>& visit) override {
    std::vector<std::pair<BlockId, uint64_t>> all;
    {
      const os::Lock lock(mutex_);
      for (const auto& [id, bytes] : blocks_) all.emplace_back(id, bytes.size());
    }
    for (const auto& [id, size] : all) {
      if (!visit(id, {size, size})) break;
    }
    return {};
  }
  block::Space space() override {
    const os::Lock lock(mutex_);
    const uint64_t live = live_bytes();
    return {capacity_, live + dead_, live, capacity_ - live - dead_};
  }
  Result<uint64_t> clean(uint64_t) override {
    const os::Lock lock(mutex_);
    const uint64_t gained = dead_;
    dead_ = 0;
    return gained;
  }

 private:
  uint64_t live_bytes() const REQUIRES(mutex_) {
    uint64_t bytes = 0;
    for (const auto& [id, block] : blocks_) bytes += block.size();
    return bytes;
  }

  os::Mutex mutex_;
  std::map<BlockId, std::string> blocks_ GUARDED_BY(mutex_);
  std::set<BlockId> rotten_ GUARDED_BY(mutex_);
  uint64_t capacity_ GUARDED_BY(mutex_) = kGiB;
  uint64_t dead_ GUARDED_BY(mutex_) = 0;
};

}  // namespace nacre::keeper
