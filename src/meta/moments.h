// Moments of a volume's past: times, sequence numbers and snapshots, and how people write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/units.h"
#include "kv/store.h"
#include "wire/rows.h"

namespace nacre::meta {

// What a user wrote for WHEN, not yet looked up.
struct When {
  enum class Kind { kTime, kSequence, kName };
  Kind kind = Kind::kName;
  Timestamp time;
  Sequence sequence;
  std::string name;
  bool relative = false;  // means another moment each time it is asked: "2 hours ago", "now"
};

// "2026-03-01", "2026-03-01 12:30", "2026-03-01T12:30:05.25Z", "...+02:00" (local time without a
// zone),
// "@SECONDS", "now", "yesterday", "90s ago", "2 hours ago" (s, min, h, d, w and their long forms),
// a sequence number, or a snapshot's name. kInvalid says what may be written.
Result<When> parse_when(std::string_view text, Timestamp now);

// "2026-03-01T12:30:05.250000000Z", without trailing zeros of the fraction.
std::string format_time(Timestamp time);

struct Snapshot {
  std::string name;
  Sequence sequence;
  Timestamp created;
};

// 1–255 bytes, no slash, no NUL, not "." or "..", and nothing parse_when() takes for another
// moment.
Status check_snapshot_name(std::string_view name);
// In name order.
Result<std::vector<Snapshot>> list_snapshots(kv::Store& store);
Result<std::optional<Snapshot>> find_snapshot(kv::Store& store, std::string_view name);

// The last commit at or before the moment. kNotFound for an unknown snapshot or a moment before the
// first commit or after the last sequence; kBelowFloor where history is gone (snapshots excepted).
Result<Sequence> resolve(kv::Store& store, const When& when);
// The time of a commit; kNotFound when it is not in the change feed.
Result<Timestamp> time_of(kv::Store& store, Sequence sequence);

}  // namespace nacre::meta
