// A table of placement groups while react() rearranges it: who holds what, how much each device
// lacks, and which devices a fragment may go to. Internal to place; for one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/erasure_code.h"
#include "os/random.h"
#include "place/topology.h"
#include "place/weighted_slots.h"
#include "wire/pg_layout.h"

namespace nacre::place {

// One fragment of one group.
struct Position {
  uint32_t pg = 0;
  uint32_t index = 0;
};

enum class AnyDevice : bool { kNo, kYes };

class Arrangement {
 public:
  // Takes fragments off devices that are not readable and forgets such sources. `topology` outlives
  // it.
  Arrangement(const Topology& topology, wire::PgTable table, uint64_t seed);

  const Topology& topology() const { return topology_; }
  const wire::PgTable& table() const { return table_; }
  wire::PgTable take_table() { return std::move(table_); }
  os::Random& random() { return random_; }
  const std::vector<uint32_t>& counts() const { return counts_; }
  // What each slot is to hold; before it is set they lack nothing.
  void set_targets(std::vector<uint32_t> targets);
  // How many fragments the slot holds beyond its target; negative: lacks.
  int64_t excess(uint32_t slot) const { return int64_t{counts_[slot]} - targets_[slot]; }

  // kNoSlot where no usable device holds it.
  uint32_t slot(Position at) const { return slots_[index_of(at)]; }
  wire::DeviceNumber device(Position at) const { return table_.devices(at.pg)[at.index]; }
  wire::DeviceNumber source(Position at) const { return table_.sources(at.pg)[at.index]; }
  // Whether its data is not on its device: moving it again costs nothing.
  bool is_on_its_way(Position at) const { return source(at) != wire::kNoDevice; }
  // A position in a node or zone that holds too many of the group; that which is cheapest to move.
  std::optional<Position> misplaced(uint32_t pg) const;

  // A slot that may hold the fragment beside the others of its group and lacks some: its source, or
  // by chance, in proportion to what they lack. kNoSlot when there is none. With kYes then any that
  // may, rather one that is not over its target.
  uint32_t choose(Position at, AnyDevice any);
  // Up to `count` slots that may hold it, whatever they lack.
  std::vector<uint32_t> choose_several(Position at, size_t count);
  bool may_hold(Position at, uint32_t slot) const;
  // Gives the fragment to that slot and remembers where its data is.
  void move(Position at, uint32_t slot);
  // For a fragment that can go nowhere because what is left are sources of others in its group: one
  // of these goes back to its source, and the fragment takes its device. With kNo only to a source
  // that lacks. False when that is no way.
  bool swap_with_source(Position at, AnyDevice any);
  // A fragment without a device stays at its source, if there is one; else without both.
  void settle_unplaced(Position at);

 private:
  // Slots that a fragment may not go to, disjoint and ascending.
  struct Excluded {
    std::array<SlotRange, 3 * codec::kMaxFragments> ranges;
    size_t count = 0;
    void add(SlotRange range) { ranges[count++] = range; }
    bool contains(uint32_t slot) const;
    void normalise();
    std::span<const SlotRange> all() const { return {ranges.data(), count}; }
  };

  size_t index_of(Position at) const { return size_t{at.pg} * table_.n() + at.index; }
  void drop_unreadable(uint32_t pg);
  Excluded excluded_for(Position at, bool without_sources) const;
  uint32_t draw_lacking(const Excluded& excluded);
  std::optional<uint32_t> draw_any(const Excluded& excluded);
  void update_lack(uint32_t slot);
  void set_slot(Position at, uint32_t slot);

  const Topology& topology_;
  wire::PgTable table_;
  os::SeededRandom random_;
  std::vector<uint32_t> slots_;  // of every position of the table
  std::vector<uint32_t> counts_, targets_;
  WeightedSlots lack_;
};

}  // namespace nacre::place
