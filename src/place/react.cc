#include "place/react.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/check.h"
#include "place/arrangement.h"
#include "place/balance.h"
#include "place/share.h"

namespace nacre::place {
namespace {

using wire::DeviceNumber;
using wire::kLost;
using wire::kNoDevice;

// How many fragments of a group no device has.
unsigned missing_in(const wire::PgTable& table, uint32_t pg) {
  const auto devices = table.devices(pg), sources = table.sources(pg);
  unsigned missing = 0;
  for (unsigned i = 0; i < table.n(); ++i) {
    missing += sources[i] == kLost || (devices[i] == kNoDevice && sources[i] == kNoDevice);
  }
  return missing;
}

class Reactor {
 public:
  Reactor(const wire::ClusterMap& map, const wire::Pool& pool, const wire::PgTable& before)
      : map_(map),
        before_(before),
        topology_(map, pool.code.n()),
        arrangement_(topology_, before, map.epoch << 16 | pool.id),
        for_domains_(size_t{before.size()} * before.n()) {
    arrangement_.set_targets(targets_of(topology_, before.size(), arrangement_.counts()));
  }

  Reaction run() {
    Reaction reaction;
    for (uint32_t slot = 0; slot < topology_.slots(); ++slot) {
      reaction.moves_min += static_cast<uint64_t>(std::max<int64_t>(0, -arrangement_.excess(slot)));
    }
    place_unplaced();
    drain();
    mend_domains();
    reaction.moves_min = std::max(reaction.moves_min, forced_);
    balance(arrangement_);
    reaction.table = arrangement_.take_table();
    compare(reaction);
    return reaction;
  }

 private:
  template <class Body>
  void each_position(Body body) {
    for (uint32_t pg = 0; pg < before_.size(); ++pg) {
      for (uint32_t i = 0; i < before_.n(); ++i) body(Position{pg, i});
    }
  }

  void place_unplaced() {
    // By how many fragments their group lacks.
    std::vector<std::vector<Position>> unplaced(before_.n() + 1);
    each_position([&](Position at) {
      if (arrangement_.device(at) != kNoDevice) return;
      unplaced[missing_in(arrangement_.table(), at.pg)].push_back(at);
    });
    for (size_t missing = unplaced.size(); missing-- > 0;) {
      for (const Position at : unplaced[missing]) {
        // A swap with a fragment of its group may have placed it.
        if (arrangement_.device(at) == kNoDevice && !place(at)) arrangement_.settle_unplaced(at);
      }
    }
  }

  void drain() {
    each_position([&](Position at) {
      if (arrangement_.device(at) != kNoDevice && arrangement_.slot(at) == kNoSlot) place(at);
    });
  }

  bool place(Position at) {
    const uint32_t slot = arrangement_.choose(at, AnyDevice::kYes);
    if (slot != kNoSlot) {
      arrangement_.move(at, slot);
    } else if (!arrangement_.swap_with_source(at, AnyDevice::kYes)) {
      return false;
    }
    ++forced_;
    return true;
  }

  void mend_domains() {
    if (topology_.node_cap() >= before_.n() && topology_.zone_cap() >= before_.n()) return;
    for (uint32_t pg = 0; pg < before_.size(); ++pg) {
      for (unsigned i = 0; i < before_.n(); ++i) {
        const auto at = arrangement_.misplaced(pg);
        if (!at || !place(*at)) break;
        for_domains_[size_t{pg} * before_.n() + at->index] = true;
      }
    }
  }

  MoveReason reason_of(uint32_t pg, uint32_t index, DeviceNumber source) const {
    if (source == kLost) return MoveReason::kRebuild;
    if (topology_.slot_of(source) == kNoSlot) return MoveReason::kDrain;
    return for_domains_[size_t{pg} * before_.n() + index] ? MoveReason::kDomains
                                                          : MoveReason::kBalance;
  }

  // Finds out what became of each group, and gives those that changed their epoch.
  void compare(Reaction& reaction) const {
    wire::PgTable& after = reaction.table;
    for (uint32_t pg = 0; pg < after.size(); ++pg) {
      bool changed = after.stale(pg) != before_.stale(pg);
      for (uint32_t i = 0; i < after.n(); ++i) {
        const DeviceNumber device = after.devices(pg)[i], source = after.sources(pg)[i];
        const DeviceNumber old_source = before_.sources(pg)[i];
        if (device == before_.devices(pg)[i] && source == old_source) continue;
        changed = true;
        if (source != kNoDevice) {
          reaction.moves.push_back({.pg = pg,
                                    .position = static_cast<uint8_t>(i),
                                    .reason = reason_of(pg, i, source),
                                    .from = source == kLost ? kNoDevice : source,
                                    .to = device});
        } else if (device != kNoDevice && device == old_source) {
          ++reaction.cancelled;
        }
      }
      if (changed) after.set_epoch(pg, map_.epoch);
    }
    std::ranges::sort(reaction.moves, {}, [&](const Move& move) {
      const bool rebuild = move.reason == MoveReason::kRebuild;
      const int missing = rebuild ? static_cast<int>(missing_in(after, move.pg)) : 0;
      return std::tuple(move.reason, -missing, move.pg, move.position);
    });
  }

  const wire::ClusterMap& map_;
  const wire::PgTable& before_;
  const Topology topology_;
  Arrangement arrangement_;
  std::vector<bool> for_domains_;  // positions that moved for the rules' sake
  uint64_t forced_ = 0;            // moves without which the rules cannot be kept
};

}  // namespace

Reaction react(const wire::ClusterMap& map, const wire::Pool& pool, const wire::PgTable& table) {
  CHECK(table.pool() == pool.id && table.n() == pool.code.n() && table.size() == pool.pg_count);
  return Reactor(map, pool, table).run();
}

void finish_move(wire::PgTable& table, uint32_t pg, unsigned position) {
  table.sources(pg)[position] = kNoDevice;
}

}  // namespace nacre::place
