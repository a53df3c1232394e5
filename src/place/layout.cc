#include "place/layout.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "os/random.h"
#include "place/share.h"
#include "place/shuffle.h"
#include "place/topology.h"

namespace nacre::place {
namespace {

// Systematic sampling (Madow, "On the theory of systematic sampling, II", 1949), in rounds.
//
// All fragments that devices still want lie on a line, those of a device, of a node and of a zone
// side by side. With P groups to go the line is capacity × P long, and a group takes every P-th
// fragment of it. No device wants more than P, no node more than P × its cap and no zone more than
// P × its cap, so each stretch gives a group no more fragments than it may.
//
// A round is about as many groups as use each device once. They begin at even distances, so each
// stretch gives up its part rounded up or down, and what was said of P is true again for the next
// round. Zones, nodes and devices change places before each round: so which devices meet is random,
// and at the end each has exactly what it wanted.
class Rounds {
 public:
  Rounds(const Topology& topology, const wire::Pool& pool, wire::PgTable& table)
      : topology_(topology),
        table_(table),
        random_(uint64_t{pool.id} << 32 | pool.pg_count),
        wanted_(targets_of(topology, pool.pg_count, std::vector<uint32_t>(topology.slots()))) {
    zones_.resize(topology.zones().size());
    std::iota(zones_.begin(), zones_.end(), 0u);
    nodes_.resize(topology.nodes().size());
    std::iota(nodes_.begin(), nodes_.end(), 0u);
    slots_.resize(topology.slots());
    std::iota(slots_.begin(), slots_.end(), 0u);
  }

  void run() {
    if (topology_.capacity() == 0) return;
    const uint32_t round = std::max(1u, topology_.slots() / topology_.capacity());
    while (next_ < table_.size()) {
      fill_round(std::min(round, table_.size() - next_));
      next_ += std::min(round, table_.size() - next_);
    }
  }

 private:
  void mix() {
    shuffle(std::span(zones_), random_);
    for (const SlotRange nodes : topology_.zone_nodes()) {
      shuffle(std::span(nodes_).subspan(nodes.begin, nodes.size()), random_);
    }
    for (const SlotRange slots : topology_.nodes()) {
      shuffle(std::span(slots_).subspan(slots.begin, slots.size()), random_);
    }
  }

  // `body` gets each slot in its place on the line.
  template <class Body>
  void walk(Body body) {
    for (const uint32_t zone : zones_) {
      const SlotRange nodes = topology_.zone_nodes()[zone];
      for (uint32_t i = nodes.begin; i < nodes.end; ++i) {
        const SlotRange slots = topology_.nodes()[nodes_[i]];
        for (uint32_t slot = slots.begin; slot < slots.end; ++slot) body(slots_[slot]);
      }
    }
  }

  void fill_round(uint32_t groups) {
    mix();
    const uint64_t left = table_.size() - next_;
    const uint64_t points = uint64_t{groups} * topology_.capacity();
    const uint64_t phase = random_below(random_, left);
    // The point of that number, between fragments i and i + 1 for i = (number × left + phase) /
    // groups.
    const auto fragment_at = [&](uint64_t number) { return (number * left + phase) / groups; };
    uint64_t point = 0, end = 0;
    walk([&](uint32_t slot) {
      end += wanted_[slot];
      for (; point < points && fragment_at(point) < end; ++point) {
        const auto pg = static_cast<uint32_t>(next_ + point % groups);
        table_.devices(pg)[point / groups] = topology_.device(slot);
        --wanted_[slot];
      }
    });
    CHECK(point == points);
    for (uint32_t pg = next_; pg < next_ + groups; ++pg) {
      shuffle(table_.devices(pg).first(topology_.capacity()), random_);
    }
  }

  const Topology& topology_;
  wire::PgTable& table_;
  os::SeededRandom random_;
  std::vector<uint32_t> wanted_;                 // of each slot, from the groups to come
  std::vector<uint32_t> zones_, nodes_, slots_;  // in their places
  uint32_t next_ = 0;                            // the first group without devices
};

}  // namespace

wire::PgTable initial_layout(const wire::ClusterMap& map, const wire::Pool& pool) {
  wire::PgTable table(pool);
  const Topology topology(map, pool.code.n());
  Rounds(topology, pool, table).run();
  for (uint32_t pg = 0; pg < table.size(); ++pg) table.set_epoch(pg, map.epoch);
  return table;
}

}  // namespace nacre::place
