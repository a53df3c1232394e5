#include "fs/references.h"

#include <utility>

namespace nacre::fs {

namespace {

size_t home_of(uint64_t ino, size_t slots) {
  return static_cast<size_t>((ino * 0x9E3779B97F4A7C15u) >> 20) & (slots - 1);
}

}  // namespace

// The slot that holds the inode, or the empty one where it belongs.
size_t References::find(uint64_t ino) const {
  size_t slot = home_of(ino, slots_.size());
  while (slots_[slot].ino != 0 && slots_[slot].ino != ino) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

void References::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  std::swap(old, slots_);
  for (const Slot& slot : old) {
    if (slot.ino != 0) slots_[find(slot.ino)] = slot;
  }
}

void References::add(InodeId ino) {
  const os::Lock lock(mutex_);
  if (4 * (used_ + 1) > 3 * slots_.size()) grow();
  Slot& slot = slots_[find(ino.value)];
  if (slot.ino == 0) {
    slot.ino = ino.value;
    ++used_;
  }
  ++slot.count;
}

void References::erase(size_t slot) {
  const size_t mask = slots_.size() - 1;
  for (size_t next = (slot + 1) & mask; slots_[next].ino != 0; next = (next + 1) & mask) {
    const size_t home = home_of(slots_[next].ino, slots_.size());
    if (((next - home) & mask) >= ((next - slot) & mask)) {
      slots_[slot] = slots_[next];
      slot = next;
    }
  }
  slots_[slot] = {};
  --used_;
}

uint64_t References::subtract(InodeId ino, uint64_t count) {
  const os::Lock lock(mutex_);
  const size_t slot = find(ino.value);
  if (slots_[slot].ino == 0) return 0;
  if (slots_[slot].count > count) return slots_[slot].count -= static_cast<uint32_t>(count);
  erase(slot);
  return 0;
}

uint64_t References::count(InodeId ino) const {
  const os::Lock lock(mutex_);
  return slots_[find(ino.value)].count;
}

std::vector<InodeId> References::all() const {
  const os::Lock lock(mutex_);
  std::vector<InodeId> inodes;
  inodes.reserve(used_);
  for (const Slot& slot : slots_) {
    if (slot.ino != 0) inodes.push_back(InodeId{slot.ino});
  }
  return inodes;
}

size_t References::size() const {
  const os::Lock lock(mutex_);
  return used_;
}

}  // namespace nacre::fs
