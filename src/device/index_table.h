// A hash table from (block id, fragment) to the place of the record, made small: 48 bytes a slot,
// open addressing, at most 7/8 full. For one thread at a time; see Index.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace nacre::device {

struct Key {
  BlockId id;
  uint16_t fragment = 0;
  friend auto operator<=>(const Key&, const Key&) = default;
};

uint64_t hash_of(const Key& key);

struct IndexSlot {
  enum class State : uint8_t { kEmpty, kPending, kStored };

  BlockId id = {};
  uint64_t birth = 0;
  uint32_t segment = 0;
  uint32_t page = 0;
  uint32_t pages = 0;
  uint32_t stored_bytes = 0;
  uint32_t logical_bytes = 0;
  uint16_t fragment = 0;
  State state = State::kEmpty;  // pending: being put, not yet readable

  Key key() const { return {id, fragment}; }
};
static_assert(sizeof(IndexSlot) == 48);

class IndexTable {
 public:
  IndexTable();

  // Null if the key is not there. Valid until the next insert() or erase().
  IndexSlot* find(const Key& key);
  // An empty slot made pending for a key that is not there.
  IndexSlot& insert(const Key& key);
  // The slot is one of find().
  void erase(IndexSlot* slot);

  size_t size() const { return size_; }
  size_t memory_bytes() const { return slots_.capacity() * sizeof(IndexSlot); }
  // All slots, empty ones too.
  const std::vector<IndexSlot>& slots() const { return slots_; }

 private:
  size_t home_of(const Key& key) const { return hash_of(key) & (slots_.size() - 1); }
  size_t next(size_t at) const { return (at + 1) & (slots_.size() - 1); }
  void resize(size_t slots);

  std::vector<IndexSlot> slots_;  // a power of two
  size_t size_ = 0;
};

}  // namespace nacre::device
