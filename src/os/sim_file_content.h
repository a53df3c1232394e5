// What one file of the simulated disk holds: the latest bytes, which reads see; the durable bytes,
// which a power cut leaves for sure; and between them the changes not synced, in order.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "os/random.h"
#include "os/sim_content.h"

namespace nacre::os {

class SimFileContent {
 public:
  uint64_t size() const { return latest_.size(); }
  uint64_t allocated_bytes() const { return latest_.allocated_bytes(); }
  uint64_t growth_bytes(uint64_t offset, uint64_t length) const {
    return latest_.growth_bytes(offset, length);
  }
  // `into` must lie within size().
  void read(uint64_t offset, MutableBytes into) const { latest_.read(offset, into); }

  void write(uint64_t offset, std::span<const ByteView> parts);
  void allocate(uint64_t offset, uint64_t length);
  void truncate(uint64_t size);
  void sync();

  // The latest change is one that the power cut interrupted: if a write, part of it survives.
  void tear_latest_change();
  // Of the changes not synced, each survives with `percent` likelihood, a write sometimes in part,
  // sector by sector. What survived is durable, the rest is gone.
  void crash(Random& random, uint64_t percent);

  uint64_t durable_size() const { return durable_.size(); }
  // Flips a bit of the durable byte at `offset`, and so of what is read unless a change not yet
  // synced hides it.
  void rot(uint64_t offset, unsigned bit);

 private:
  struct Change {
    enum class Kind { kWrite, kAllocate, kTruncate };
    Kind kind;
    uint64_t offset;  // kTruncate: the new size
    uint64_t length;
    std::vector<std::byte> data;  // kWrite only
    bool torn = false;
  };

  void add(Change change);
  void make_durable(const Change& change);
  void make_part_durable(const Change& write, Random& random);
  bool hides(uint64_t offset) const;

  SimContent latest_;
  SimContent durable_;
  std::deque<Change> pending_;
  uint64_t pending_bytes_ = 0;
};

}  // namespace nacre::os
