#include "model/memory_blocks.h"

#include <algorithm>
#include <vector>

namespace nacre::model {

void MemoryBlocks::lose_unsynced() {
  const os::Lock lock(mutex_);
  for (const BlockId id : unsynced_) {
    if (id.low % 2 == 0) continue;  // luck
    used_ -= blocks_[id].size();
    blocks_.erase(id);
  }
  unsynced_.clear();
}

Status MemoryBlocks::put(BlockId id, std::span<const ByteView> parts) {
  TRY(faults_.call());
  if (put_time_.count() != 0) {
    const os::Lock lock(idle_mutex_);
    (void)idle_.wait_for(idle_mutex_, put_time_);
  }
  std::string bytes;
  for (const ByteView part : parts) bytes += as_text(part);
  if (bytes.empty() || bytes.size() > block::kMaxBlockBytes) return Code::kInvalid;
  const os::Lock lock(mutex_);
  if (used_ + bytes.size() > capacity_) return Code::kNoSpace;
  used_ += bytes.size();
  if (!blocks_.emplace(id, std::move(bytes)).second) return Code::kExists;
  unsynced_.insert(id);
  return {};
}

Status MemoryBlocks::sync() {
  TRY(faults_.call());
  const os::Lock lock(mutex_);
  unsynced_.clear();
  return {};
}

Status MemoryBlocks::read(BlockId id, uint64_t offset, MutableBytes into) {
  const os::Lock lock(mutex_);
  const auto found = blocks_.find(id);
  if (found == blocks_.end()) return Code::kNotFound;
  const ByteView bytes = as_bytes(found->second);
  if (offset > bytes.size() || into.size() > bytes.size() - offset) return Code::kOutOfRange;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
  return {};
}

Status MemoryBlocks::remove(BlockId id) {
  const os::Lock lock(mutex_);
  const auto found = blocks_.find(id);
  if (found == blocks_.end()) return {};
  used_ -= found->second.size();
  blocks_.erase(found);
  unsynced_.erase(id);
  return {};
}

Result<block::BlockInfo> MemoryBlocks::info(BlockId id) {
  const os::Lock lock(mutex_);
  const auto found = blocks_.find(id);
  if (found == blocks_.end()) return Code::kNotFound;
  return block::BlockInfo{found->second.size(), found->second.size()};
}

Status MemoryBlocks::list(const std::function<bool(BlockId, const block::BlockInfo&)>& visit) {
  std::vector<std::pair<BlockId, uint64_t>> all;
  {
    const os::Lock lock(mutex_);
    for (const auto& [id, bytes] : blocks_) all.emplace_back(id, bytes.size());
  }
  for (const auto& [id, bytes] : all) {
    if (!visit(id, {bytes, bytes})) break;
  }
  return {};
}

block::Space MemoryBlocks::space() {
  const os::Lock lock(mutex_);
  return {capacity_, used_, used_, capacity_ - used_};
}

}  // namespace nacre::model
