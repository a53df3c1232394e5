#include "os/sim_content.h"

#include <algorithm>
#include <cstring>

namespace nacre::os {
namespace {

constexpr uint64_t kChunkBytes = SimContent::kChunkBytes;

// Calls visit(chunk index, offset in the chunk, bytes) for each piece of the range, in order.
template <class Visit>
void for_each_piece(uint64_t offset, uint64_t length, Visit visit) {
  while (length > 0) {
    const uint64_t within = offset % kChunkBytes;
    const uint64_t count = std::min(length, kChunkBytes - within);
    visit(offset / kChunkBytes, within, count);
    offset += count;
    length -= count;
  }
}

}  // namespace

const SimContent::ChunkRef& SimContent::zero_chunk() {
  static const ChunkRef kChunk = std::make_shared<Chunk>();
  return kChunk;
}

const SimContent::Chunk* SimContent::find(uint64_t index) const {
  const auto region = regions_.find(index / kChunksPerRegion);
  return region == regions_.end() ? nullptr : region->second[index % kChunksPerRegion].get();
}

void SimContent::set(uint64_t index, ChunkRef chunk) {
  ChunkRef& place = slot(index);
  if (place) --chunk_count_;
  if (chunk) ++chunk_count_;
  place = std::move(chunk);
}

SimContent::Chunk& SimContent::own(uint64_t index) {
  ChunkRef& place = slot(index);
  if (!place) {
    place = std::make_shared<Chunk>();
    ++chunk_count_;
  } else if (place.use_count() > 1) {
    place = std::make_shared<Chunk>(*place);
  }
  return *place;
}

uint64_t SimContent::growth_bytes(uint64_t offset, uint64_t length) const {
  uint64_t missing = 0;
  for_each_piece(offset, length, [&](uint64_t index, uint64_t, uint64_t) {
    if (find(index) == nullptr) ++missing;
  });
  return missing * kChunkBytes;
}

void SimContent::read(uint64_t offset, MutableBytes into) const {
  std::byte* to = into.data();
  for_each_piece(offset, into.size(), [&](uint64_t index, uint64_t within, uint64_t count) {
    const Chunk* chunk = find(index);
    if (chunk == nullptr) {
      std::memset(to, 0, count);
    } else {
      std::memcpy(to, chunk->data() + within, count);
    }
    to += count;
  });
}

void SimContent::write(uint64_t offset, ByteView data) {
  const std::byte* from = data.data();
  for_each_piece(offset, data.size(), [&](uint64_t index, uint64_t within, uint64_t count) {
    std::memcpy(own(index).data() + within, from, count);
    from += count;
  });
  if (!data.empty()) size_ = std::max(size_, offset + data.size());
}

void SimContent::reserve(uint64_t offset, uint64_t length) {
  for_each_piece(offset, length, [&](uint64_t index, uint64_t, uint64_t) {
    if (find(index) == nullptr) set(index, zero_chunk());
  });
  if (length > 0) size_ = std::max(size_, offset + length);
}

void SimContent::truncate(uint64_t size) {
  const uint64_t kept = (size + kChunkBytes - 1) / kChunkBytes;
  const auto first = regions_.lower_bound(kept / kChunksPerRegion);
  for (auto region = first; region != regions_.end(); ++region) {
    const uint64_t base = region->first * kChunksPerRegion;
    for (uint64_t i = kept > base ? kept - base : 0; i < kChunksPerRegion; ++i) {
      if (region->second[i]) --chunk_count_;
      region->second[i].reset();
    }
  }
  regions_.erase(regions_.lower_bound((kept + kChunksPerRegion - 1) / kChunksPerRegion),
                 regions_.end());
  const uint64_t within = size % kChunkBytes;
  if (size < size_ && within > 0 && find(size / kChunkBytes) != nullptr) {
    Chunk& last = own(size / kChunkBytes);
    std::fill(last.begin() + static_cast<ptrdiff_t>(within), last.end(), std::byte{0});
  }
  size_ = size;
}

void SimContent::share(const SimContent& other, uint64_t offset, uint64_t length) {
  for_each_piece(offset, length, [&](uint64_t index, uint64_t, uint64_t) {
    const auto region = other.regions_.find(index / kChunksPerRegion);
    set(index,
        region == other.regions_.end() ? ChunkRef() : region->second[index % kChunksPerRegion]);
  });
}

}  // namespace nacre::os
