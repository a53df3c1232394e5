// Slots with weights that change, of which one is drawn with a chance in proportion to its weight:
// a Fenwick tree ("A new data structure for cumulative frequency tables", 1994). Every operation
// takes time that grows with the logarithm of their number. For one thread.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "place/topology.h"

namespace nacre::place {

class WeightedSlots {
 public:
  explicit WeightedSlots(uint32_t slots) : weights_(slots), tree_(slots + 1) {}

  uint64_t total() const { return total_; }
  uint32_t weight(uint32_t slot) const { return weights_[slot]; }

  void set(uint32_t slot, uint32_t weight) {
    const uint64_t change = uint64_t{weight} - weights_[slot];  // modulo 2^64
    weights_[slot] = weight;
    total_ += change;
    for (size_t i = slot + 1; i < tree_.size(); i += i & (~i + 1)) tree_[i] += change;
  }

  // Of all slots before `slot`.
  uint64_t sum_before(uint32_t slot) const {
    uint64_t sum = 0;
    for (size_t i = slot; i > 0; i &= i - 1) sum += tree_[i];
    return sum;
  }
  uint64_t sum_of(SlotRange range) const {
    return range.size() == 1 ? weights_[range.begin]
                             : sum_before(range.end) - sum_before(range.begin);
  }

  // The slot at `point` when each takes as much room as it has weight; `point` is below total().
  uint32_t slot_at(uint64_t point) const {
    size_t at = 0;
    for (size_t step = std::bit_floor(tree_.size()); step > 0; step /= 2) {
      if (at + step < tree_.size() && tree_[at + step] <= point) {
        at += step;
        point -= tree_[at];
      }
    }
    return static_cast<uint32_t>(at);
  }

 private:
  std::vector<uint32_t> weights_;
  std::vector<uint64_t> tree_;
  uint64_t total_ = 0;
};

}  // namespace nacre::place
