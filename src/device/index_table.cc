#include "device/index_table.h"

#include "base/check.h"

namespace nacre::device {
namespace {

constexpr size_t kLeastSlots = 16;

// The finalizer of splitmix64.
uint64_t mixed(uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
  return bits ^ (bits >> 31);
}

}  // namespace

uint64_t hash_of(const Key& key) {
  return mixed(mixed(key.id.high + key.fragment * 0x9E3779B97F4A7C15u) ^ key.id.low);
}

IndexTable::IndexTable() : slots_(kLeastSlots) {}

IndexSlot* IndexTable::find(const Key& key) {
  for (size_t at = home_of(key); slots_[at].state != IndexSlot::State::kEmpty; at = next(at)) {
    if (slots_[at].id == key.id && slots_[at].fragment == key.fragment) return &slots_[at];
  }
  return nullptr;
}

IndexSlot& IndexTable::insert(const Key& key) {
  if ((size_ + 1) * 8 > slots_.size() * 7) resize(slots_.size() * 2);
  size_t at = home_of(key);
  while (slots_[at].state != IndexSlot::State::kEmpty) at = next(at);
  ++size_;
  slots_[at] =
      IndexSlot{.id = key.id, .fragment = key.fragment, .state = IndexSlot::State::kPending};
  return slots_[at];
}

void IndexTable::erase(IndexSlot* slot) {
  CHECK(slot->state != IndexSlot::State::kEmpty);
  // Later slots of the run move up into the hole, unless that would put them before their home.
  size_t hole = static_cast<size_t>(slot - slots_.data());
  const size_t mask = slots_.size() - 1;
  for (size_t at = next(hole); slots_[at].state != IndexSlot::State::kEmpty; at = next(at)) {
    const size_t distance_home = (at - home_of(slots_[at].key())) & mask;
    const size_t distance_hole = (at - hole) & mask;
    if (distance_home < distance_hole) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = IndexSlot();
  --size_;
  if (slots_.size() > kLeastSlots && size_ * 8 < slots_.size()) resize(slots_.size() / 2);
}

void IndexTable::resize(size_t slots) {
  std::vector<IndexSlot> old(slots);
  old.swap(slots_);
  for (const IndexSlot& moved : old) {
    if (moved.state == IndexSlot::State::kEmpty) continue;
    size_t at = home_of(moved.key());
    while (slots_[at].state != IndexSlot::State::kEmpty) at = next(at);
    slots_[at] = moved;
  }
}

}  // namespace nacre::device
