// Sparse bytes for the simulated disk: chunks of 4 KiB that copies share until one is written.
//
// Not thread-safe; copies that share chunks must be used under one lock. Bytes never written and
// bytes past the end read as zero.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "base/bytes.h"

namespace nacre::os {

class SimContent {
 public:
  static constexpr uint64_t kChunkBytes = 4096;

  uint64_t size() const { return size_; }
  // Bytes of the chunks written or reserved.
  uint64_t allocated_bytes() const { return chunk_count_ * kChunkBytes; }
  // What a write() or reserve() of the range would add to allocated_bytes().
  uint64_t growth_bytes(uint64_t offset, uint64_t length) const;

  void read(uint64_t offset, MutableBytes into) const;
  // Grows to hold the range.
  void write(uint64_t offset, ByteView data);
  // Allocates the range and grows to hold it.
  void reserve(uint64_t offset, uint64_t length);
  // Cuts off, or grows by a hole.
  void truncate(uint64_t size);
  // Makes the chunks that the range touches the same as those of `other`, whatever the sizes.
  void share(const SimContent& other, uint64_t offset, uint64_t length);

 private:
  using Chunk = std::array<std::byte, kChunkBytes>;
  using ChunkRef = std::shared_ptr<Chunk>;
  static constexpr uint64_t kChunksPerRegion = 256;
  using Region = std::array<ChunkRef, kChunksPerRegion>;

  static const ChunkRef& zero_chunk();
  // Null where nothing is allocated.
  const Chunk* find(uint64_t index) const;
  ChunkRef& slot(uint64_t index) {
    return regions_[index / kChunksPerRegion][index % kChunksPerRegion];
  }
  void set(uint64_t index, ChunkRef chunk);
  // The chunk, allocated and shared with nobody.
  Chunk& own(uint64_t index);

  uint64_t size_ = 0;
  uint64_t chunk_count_ = 0;
  std::map<uint64_t, Region> regions_;
};

}  // namespace nacre::os
