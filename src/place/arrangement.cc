#include "place/arrangement.h"

#include <algorithm>

#include "place/shuffle.h"

namespace nacre::place {

using wire::DeviceNumber;
using wire::kLost;
using wire::kNoDevice;

Arrangement::Arrangement(const Topology& topology, wire::PgTable table, uint64_t seed)
    : topology_(topology),
      table_(std::move(table)),
      random_(seed),
      slots_(size_t{table_.size()} * table_.n(), kNoSlot),
      counts_(topology.slots()),
      targets_(topology.slots()),
      lack_(topology.slots()) {
  for (uint32_t pg = 0; pg < table_.size(); ++pg) {
    drop_unreadable(pg);
    for (uint32_t i = 0; i < table_.n(); ++i) {
      const Position at{pg, i};
      if (device(at) == kNoDevice) continue;
      const uint32_t slot = topology_.slot_of(device(at));
      slots_[index_of(at)] = slot;
      if (slot != kNoSlot) ++counts_[slot];
    }
  }
  targets_ = counts_;
}

void Arrangement::drop_unreadable(uint32_t pg) {
  const auto devices = table_.devices(pg), sources = table_.sources(pg);
  for (unsigned i = 0; i < table_.n(); ++i) {
    if (devices[i] == kNoDevice) continue;
    const bool had_source = sources[i] != kNoDevice;
    if (had_source && sources[i] != kLost && !topology_.is_readable(sources[i])) {
      sources[i] = kLost;
    }
    if (!topology_.is_readable(devices[i])) {
      devices[i] = kNoDevice;
      if (!had_source) sources[i] = kLost;
    }
    if (sources[i] == kLost) table_.set_stale(pg, true);
  }
}

void Arrangement::set_targets(std::vector<uint32_t> targets) {
  targets_ = std::move(targets);
  for (uint32_t slot = 0; slot < topology_.slots(); ++slot) update_lack(slot);
}

void Arrangement::update_lack(uint32_t slot) {
  lack_.set(slot, targets_[slot] > counts_[slot] ? targets_[slot] - counts_[slot] : 0);
}

std::optional<Position> Arrangement::misplaced(uint32_t pg) const {
  const unsigned n = table_.n();
  const std::span slots = std::span(slots_).subspan(size_t{pg} * n, n);
  std::optional<Position> best;
  const auto is_better = [&](Position ours, Position theirs) {
    if (is_on_its_way(ours) != is_on_its_way(theirs)) return is_on_its_way(ours);
    return excess(slot(ours)) > excess(slot(theirs));
  };
  for (uint32_t i = 0; i < n; ++i) {
    if (slots[i] == kNoSlot) continue;
    unsigned in_node = 0, in_zone = 0;
    for (const uint32_t other : slots) {
      if (other == kNoSlot) continue;
      in_node += topology_.node_of(other) == topology_.node_of(slots[i]);
      in_zone += topology_.zone_of(other) == topology_.zone_of(slots[i]);
    }
    if (in_node <= topology_.node_cap() && in_zone <= topology_.zone_cap()) continue;
    if (!best || is_better({pg, i}, *best)) best = {pg, i};
  }
  return best;
}

bool Arrangement::Excluded::contains(uint32_t slot) const {
  return std::ranges::any_of(all(), [&](SlotRange range) { return range.contains(slot); });
}

// Ranges are devices, nodes and zones: two of them are apart or one holds the other.
void Arrangement::Excluded::normalise() {
  std::sort(ranges.begin(), ranges.begin() + count, [](SlotRange a, SlotRange b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    if (kept == 0 || ranges[i].begin >= ranges[kept - 1].end) ranges[kept++] = ranges[i];
  }
  count = kept;
}

Arrangement::Excluded Arrangement::excluded_for(Position at, bool without_sources) const {
  Excluded excluded;
  const unsigned n = table_.n();
  const std::span slots = std::span(slots_).subspan(size_t{at.pg} * n, n);
  const auto sources = table_.sources(at.pg);
  const bool can_be_full = topology_.node_cap() < n || topology_.zone_cap() < n;
  for (unsigned i = 0; i < n; ++i) {
    if (i != at.index && !without_sources && sources[i] != kNoDevice && sources[i] != kLost) {
      const uint32_t source = topology_.slot_of(sources[i]);
      if (source != kNoSlot) excluded.add({source, source + 1});
    }
    if (slots[i] == kNoSlot) continue;
    excluded.add({slots[i], slots[i] + 1});
    if (i == at.index || !can_be_full) continue;
    const uint32_t node = topology_.node_of(slots[i]), zone = topology_.zone_of(slots[i]);
    unsigned in_node = 0, in_zone = 0;
    for (unsigned j = 0; j < n; ++j) {
      if (j == at.index || slots[j] == kNoSlot) continue;
      in_node += topology_.node_of(slots[j]) == node;
      in_zone += topology_.zone_of(slots[j]) == zone;
    }
    if (in_zone >= topology_.zone_cap()) {
      excluded.add(topology_.zones()[zone]);
    } else if (in_node >= topology_.node_cap()) {
      excluded.add(topology_.nodes()[node]);
    }
  }
  excluded.normalise();
  return excluded;
}

uint32_t Arrangement::draw_lacking(const Excluded& excluded) {
  if (lack_.total() == 0) return kNoSlot;
  // Mostly one of the first draws will do.
  for (int attempt = 0; attempt < 4; ++attempt) {
    const uint32_t slot = lack_.slot_at(random_below(random_, lack_.total()));
    if (!excluded.contains(slot)) return slot;
  }
  uint64_t left = lack_.total();
  for (const SlotRange range : excluded.all()) left -= lack_.sum_of(range);
  if (left == 0) return kNoSlot;
  uint64_t point = random_below(random_, left);
  for (const SlotRange range : excluded.all()) {
    if (lack_.sum_before(range.begin) > point) break;
    point += lack_.sum_of(range);
  }
  return lack_.slot_at(point);
}

// Of all that are not excluded, each as likely as the others.
std::optional<uint32_t> Arrangement::draw_any(const Excluded& excluded) {
  uint32_t left = topology_.slots();
  for (const SlotRange range : excluded.all()) left -= range.size();
  if (left == 0) return std::nullopt;
  auto slot = static_cast<uint32_t>(random_below(random_, left));
  for (const SlotRange range : excluded.all()) {
    if (slot < range.begin) break;
    slot += range.size();
  }
  return slot;
}

uint32_t Arrangement::choose(Position at, AnyDevice any) {
  const Excluded excluded = excluded_for(at, false);
  const uint32_t back = topology_.slot_of(source(at));
  if (back != kNoSlot && lack_.weight(back) > 0 && !excluded.contains(back)) return back;
  const uint32_t lacking = draw_lacking(excluded);
  if (lacking != kNoSlot || any == AnyDevice::kNo) return lacking;
  uint32_t best = kNoSlot;
  for (int attempt = 0; attempt < 16; ++attempt) {
    const auto slot = draw_any(excluded);
    if (!slot) return kNoSlot;
    if (best == kNoSlot || excess(*slot) < excess(best)) best = *slot;
  }
  return best;
}

std::vector<uint32_t> Arrangement::choose_several(Position at, size_t count) {
  const Excluded excluded = excluded_for(at, false);
  std::vector<uint32_t> slots;
  for (size_t attempt = 0; attempt < 2 * count && slots.size() < count; ++attempt) {
    const auto slot = draw_any(excluded);
    if (!slot) break;
    if (std::ranges::find(slots, *slot) == slots.end()) slots.push_back(*slot);
  }
  return slots;
}

bool Arrangement::may_hold(Position at, uint32_t slot) const {
  return !excluded_for(at, false).contains(slot);
}

void Arrangement::set_slot(Position at, uint32_t slot) {
  uint32_t& own = slots_[index_of(at)];
  if (own != kNoSlot) {
    --counts_[own];
    update_lack(own);
  }
  own = slot;
  ++counts_[slot];
  update_lack(slot);
}

void Arrangement::move(Position at, uint32_t slot) {
  DeviceNumber& device = table_.devices(at.pg)[at.index];
  DeviceNumber& source = table_.sources(at.pg)[at.index];
  const DeviceNumber target = topology_.device(slot);
  if (source == target) {
    source = kNoDevice;
  } else if (source == kNoDevice && device != kNoDevice) {
    source = device;
  } else if (source == kNoDevice) {
    source = kLost;
    table_.set_stale(at.pg, true);
  }
  device = target;
  set_slot(at, slot);
}

bool Arrangement::swap_with_source(Position at, AnyDevice any) {
  const Excluded excluded = excluded_for(at, true);
  for (uint32_t i = 0; i < table_.n(); ++i) {
    const Position other{at.pg, i};
    if (i == at.index || source(other) == kNoDevice || source(other) == kLost) continue;
    const uint32_t back = topology_.slot_of(source(other));
    const uint32_t freed = slot(other);
    if (back == kNoSlot || freed == kNoSlot || excluded.contains(back)) continue;
    if (any == AnyDevice::kNo && lack_.weight(back) == 0) continue;
    move(other, back);
    move(at, freed);
    return true;
  }
  return false;
}

void Arrangement::settle_unplaced(Position at) {
  DeviceNumber& device = table_.devices(at.pg)[at.index];
  DeviceNumber& source = table_.sources(at.pg)[at.index];
  if (device != kNoDevice) return;
  if (source != kLost) device = source;
  source = kNoDevice;
}

}  // namespace nacre::place
