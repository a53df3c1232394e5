// Checks of the volume family: state, snapshots, orphans, marks; and of the counters that all other
// rows must add up to.
#include <fmt/format.h>

#include <algorithm>

#include "keeper/check_run.h"

namespace nacre::keeper {

namespace {

void check_state(CheckRun& run) {
  const wire::StateRow& state = run.state;
  if (state.floor > state.committed || state.pruned > state.committed) {
    run.error(FindingKind::kState, "the state row",
              "history is said to begin after the last commit");
  } else if (state.pruned > state.floor) {
    run.error(FindingKind::kState, "the state row",
              fmt::format("history was pruned up to commit {}, above its floor {}",
                          state.pruned.value, state.floor.value));
  }
}

void check_snapshot(CheckRun& run, std::string_view key, std::string_view value) {
  const std::string where = fmt::format("snapshot '{}'", key.substr(1));
  const auto row = wire::decode_snapshot(value);
  if (!row.ok()) return run.error(FindingKind::kUndecodable, where, "its row does not decode");
  if (row->sequence.value == 0 || row->sequence > run.state.committed) {
    return run.error(FindingKind::kState, where,
                     fmt::format("it is of commit {}, which never was", row->sequence.value));
  }
  run.snapshots.push_back(row->sequence);
}

void check_volume_row(CheckRun& run, std::string_view key, std::string_view value) {
  if (key == wire::kStateKey) return check_state(run);
  if (key == wire::kInlineMarkKey) {
    const auto mark = wire::decode_mark(value);
    if (mark.ok() && mark->sequence <= run.state.committed) return;
    run.warning(FindingKind::kState, "the mark of inline moves", "it is out of range", true);
    run.mending.volume_rows[std::string(key)] = std::nullopt;
    return;
  }
  if (key == wire::kBatchMarkKey) {
    if (wire::decode_mark(value).ok()) return;
    return run.error(FindingKind::kUndecodable, "the number of the last batch",
                     "its row does not decode");
  }
  if (key.starts_with(wire::kSnapshotRowKind)) return check_snapshot(run, key, value);
  if (const auto ino = wire::decode_orphan_key(key); ino.ok()) {
    run.orphans.insert(*ino);
    run.saw_inode(*ino);
    return;
  }
  run.warning(FindingKind::kUndecodable, describe_key(key), "nobody knows this row of the volume");
}

}  // namespace

Status check_volume_rows(CheckRun& run) {
  TRY(run.each("volume", kv::Family::kVolume, {},
               [&](std::string_view key, std::string_view value) {
                 check_volume_row(run, key, value);
                 return Status();
               }));
  std::sort(run.snapshots.begin(), run.snapshots.end());
  return {};
}

Status check_counters(CheckRun& run) {
  const wire::StateRow& state = run.state;
  const auto wrong = [&](std::string_view name, uint64_t recorded, uint64_t counted) {
    run.warning(FindingKind::kCounter, "the state row",
                fmt::format("{} are {}, not {}", name, counted, recorded), true);
  };
  if (run.highest_inode >= state.next_inode) {
    run.error(FindingKind::kCounter, "the state row",
              fmt::format("the next inode would be {}, but {} was given out", state.next_inode,
                          run.highest_inode),
              true);
    run.mending.next_inode = run.highest_inode + 1;
  }
  if (run.summary.inodes != state.inodes) {
    wrong("inodes", state.inodes, run.summary.inodes);
    run.mending.inode_count =
        static_cast<int64_t>(run.summary.inodes) - static_cast<int64_t>(state.inodes);
  }
  if (run.live_bytes != state.live_bytes) {
    wrong("live bytes", state.live_bytes, run.live_bytes);
    run.mending.live_bytes =
        static_cast<int64_t>(run.live_bytes) - static_cast<int64_t>(state.live_bytes);
  }
  if (!state.referenced_bytes) return {};
  uint64_t referenced_bytes = 0;
  for (const auto& [block, facts] : run.blocks) referenced_bytes += facts.extents.bytes;
  if (referenced_bytes != *state.referenced_bytes) {
    wrong("referenced bytes", *state.referenced_bytes, referenced_bytes);
    run.mending.referenced_bytes =
        static_cast<int64_t>(referenced_bytes) - static_cast<int64_t>(*state.referenced_bytes);
  }
  return {};
}

}  // namespace nacre::keeper
