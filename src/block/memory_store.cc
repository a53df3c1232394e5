#include "block/memory_store.h"

#include <cstring>

namespace nacre::block {

Status MemoryStore::put(BlockId id, std::span<const ByteView> parts) {
  std::string bytes;
  for (const ByteView part : parts) bytes.append(as_text(part));
  if (bytes.size() > kMaxBlockBytes) return Code::kTooBig;
  const os::Lock lock(mutex_);
  if (bytes.size() > capacity_ - bytes_) return Code::kNoSpace;
  const size_t size = bytes.size();
  if (!blocks_.try_emplace(id, std::move(bytes)).second) return Code::kExists;
  bytes_ += size;
  return {};
}

Status MemoryStore::read(BlockId id, uint64_t offset, MutableBytes into) {
  const os::Lock lock(mutex_);
  const auto block = blocks_.find(id);
  if (block == blocks_.end()) return Error(Code::kNotFound, "block " + to_hex(id));
  if (offset > block->second.size() || into.size() > block->second.size() - offset) {
    return Code::kOutOfRange;
  }
  if (!into.empty()) std::memcpy(into.data(), block->second.data() + offset, into.size());
  return {};
}

Status MemoryStore::remove(BlockId id) {
  const os::Lock lock(mutex_);
  const auto block = blocks_.find(id);
  if (block == blocks_.end()) return {};
  bytes_ -= block->second.size();
  blocks_.erase(block);
  return {};
}

Result<BlockInfo> MemoryStore::info(BlockId id) {
  const os::Lock lock(mutex_);
  const auto block = blocks_.find(id);
  if (block == blocks_.end()) return Error(Code::kNotFound, "block " + to_hex(id));
  return BlockInfo{block->second.size(), block->second.size()};
}

Status MemoryStore::list(const std::function<bool(BlockId, const BlockInfo&)>& visit) {
  std::vector<std::pair<BlockId, BlockInfo>> found;
  {
    const os::Lock lock(mutex_);
    for (const auto& [id, bytes] : blocks_) found.push_back({id, {bytes.size(), bytes.size()}});
  }
  for (const auto& [id, info] : found) {
    if (!visit(id, info)) break;
  }
  return {};
}

Space MemoryStore::space() {
  const os::Lock lock(mutex_);
  return {capacity_, bytes_, bytes_, capacity_ - bytes_};
}

}  // namespace nacre::block
