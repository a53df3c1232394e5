// What a change of the cluster map means for the placement groups of a pool. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "wire/cluster_layout.h"
#include "wire/pg_layout.h"

namespace nacre::place {

// Why a fragment moves, the most urgent first.
enum class MoveReason : uint8_t {
  kRebuild,  // no device has it
  kDrain,    // its device is leaving
  kDomains,  // its group has too many fragments in one node or zone
  kBalance,  // its device holds more than its share
};

// A fragment of every block of a group that is to be copied, or rebuilt, onto a device.
struct Move {
  uint32_t pg = 0;
  uint8_t position = 0;
  MoveReason reason = MoveReason::kBalance;
  wire::DeviceNumber from;  // kNoDevice: rebuilt from the other fragments
  wire::DeviceNumber to;
  friend bool operator==(const Move&, const Move&) = default;
};

struct Reaction {
  wire::PgTable table;
  // Data to be moved that was not on its way there already. The most urgent first: rebuilds of the
  // groups that lack most, then the other reasons.
  std::vector<Move> moves;
  // Moves given up because their fragment is to stay where it still is: nothing is copied.
  uint64_t cancelled = 0;
  // No table that has room for every fragment and gives every device its share is reached with
  // fewer moves and cancellations together.
  uint64_t moves_min = 0;
};

// The table of `pool` as `map` wants it: after devices joined, are leaving, failed, vanished from
// the map or changed their weight, after nodes came, went or changed zones, in any combination.
//
// Every fragment on a device that failed or is gone gets another device, drawn with a chance in
// proportion to what each still lacks of its share, so that a rebuild is written, as it is read, by
// all. Then those of leaving devices move, then those that break the rules of place/topology.h, and
// then as few as balance needs: afterwards devices hold their share to within one fragment where
// the domains leave a way.
//
// Where a fragment's data is on another readable device, that one is its source: a move that was
// not finished keeps its source and may return to it. Groups with fragments that must be rebuilt
// become stale; only whoever has made them whole may clear that. A fragment for which no device is
// left stays on a leaving device, or without one. Groups that change carry the epoch of the map.
//
// The same map and table give the same reaction; reacting to the result moves nothing. `table` is
// of `pool`, and the map has no fault.
Reaction react(const wire::ClusterMap& map, const wire::Pool& pool, const wire::PgTable& table);

// To be called when the fragment at that position is complete on its device: it has no source any
// more. Whether the group is still stale is for the caller to say.
void finish_move(wire::PgTable& table, uint32_t pg, unsigned position);

}  // namespace nacre::place
