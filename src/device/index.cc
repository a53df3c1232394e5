#include "device/index.h"

#include <vector>

#include "base/check.h"

namespace nacre::device {
namespace {

void store(IndexSlot& slot, const Place& place) {
  slot.birth = place.birth;
  slot.segment = place.segment;
  slot.page = place.page;
  slot.pages = place.pages;
  slot.stored_bytes = place.stored_bytes;
  slot.logical_bytes = place.logical_bytes;
  slot.state = IndexSlot::State::kStored;
}

bool is_stored(const IndexSlot* slot) {
  return slot != nullptr && slot->state == IndexSlot::State::kStored;
}

}  // namespace

// The generation is not kept: while an entry points into a segment, it is the segment's own.
Place Index::place_of(const IndexSlot& slot) const {
  return {.birth = slot.birth,
          .generation = segments_.generation(slot.segment),
          .segment = slot.segment,
          .page = slot.page,
          .pages = slot.pages,
          .stored_bytes = slot.stored_bytes,
          .logical_bytes = slot.logical_bytes};
}

bool Index::reserve(const Key& key) {
  Shard& shard = shard_of(key);
  os::Lock lock(shard.mutex);
  if (shard.table.find(key) != nullptr) return false;
  shard.table.insert(key);
  return true;
}

void Index::publish(const Key& key, const Place& place) {
  Shard& shard = shard_of(key);
  os::Lock lock(shard.mutex);
  IndexSlot* slot = shard.table.find(key);
  CHECK(slot != nullptr && slot->state == IndexSlot::State::kPending);
  store(*slot, place);
}

void Index::cancel(const Key& key) {
  Shard& shard = shard_of(key);
  os::Lock lock(shard.mutex);
  IndexSlot* slot = shard.table.find(key);
  CHECK(slot != nullptr && slot->state == IndexSlot::State::kPending);
  shard.table.erase(slot);
}

std::optional<Place> Index::find_and_pin(const Key& key) {
  Shard& shard = shard_of(key);
  os::Lock lock(shard.mutex);
  const IndexSlot* slot = shard.table.find(key);
  if (!is_stored(slot)) return std::nullopt;
  segments_.pin(slot->segment);
  return place_of(*slot);
}

std::optional<Place> Index::find(const Key& key) {
  Shard& shard = shard_of(key);
  os::Lock lock(shard.mutex);
  const IndexSlot* slot = shard.table.find(key);
  if (!is_stored(slot)) return std::nullopt;
  return place_of(*slot);
}

std::optional<Place> Index::erase(const Key& key) {
  Shard& shard = shard_of(key);
  os::Lock lock(shard.mutex);
  IndexSlot* slot = shard.table.find(key);
  if (!is_stored(slot)) return std::nullopt;
  const Place place = place_of(*slot);
  shard.table.erase(slot);
  return place;
}

bool Index::move(const Key& key, uint32_t from_segment, uint32_t from_page, const Place& to) {
  Shard& shard = shard_of(key);
  os::Lock lock(shard.mutex);
  IndexSlot* slot = shard.table.find(key);
  if (!is_stored(slot) || slot->segment != from_segment || slot->page != from_page) return false;
  store(*slot, to);
  return true;
}

std::optional<Place> Index::restore(const Key& key, const Place& place) {
  Shard& shard = shard_of(key);
  os::Lock lock(shard.mutex);
  IndexSlot* slot = shard.table.find(key);
  if (slot == nullptr) {
    store(shard.table.insert(key), place);
    return std::nullopt;
  }
  const Place held = place_of(*slot);
  const bool held_stays =
      held.birth != place.birth ? held.birth > place.birth : held.generation >= place.generation;
  if (held_stays) return place;
  store(*slot, place);
  return held;
}

void Index::for_each(const std::function<bool(const Key&, const Place&)>& visit) {
  std::vector<std::pair<Key, Place>> found;
  for (Shard& shard : shards_) {
    found.clear();
    {
      os::Lock lock(shard.mutex);
      for (const IndexSlot& slot : shard.table.slots()) {
        if (is_stored(&slot)) found.emplace_back(slot.key(), place_of(slot));
      }
    }
    for (const auto& [key, place] : found) {
      if (!visit(key, place)) return;
    }
  }
}

uint64_t Index::size() {
  uint64_t size = 0;
  for (Shard& shard : shards_) {
    os::Lock lock(shard.mutex);
    size += shard.table.size();
  }
  return size;
}

uint64_t Index::memory_bytes() {
  uint64_t bytes = 0;
  for (Shard& shard : shards_) {
    os::Lock lock(shard.mutex);
    bytes += shard.table.memory_bytes();
  }
  return bytes;
}

}  // namespace nacre::device
