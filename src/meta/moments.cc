#include "meta/moments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

namespace nacre::meta {

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kMostSeconds = 9'000'000'000;  // on either side of 1970; what a Timestamp holds
constexpr size_t kMaxSnapshotName = 255;

struct Unit {
  std::string_view name;
  int64_t seconds;
};
constexpr std::array kUnits = {
    Unit{"s", 1},        Unit{"sec", 1},      Unit{"second", 1},    Unit{"seconds", 1},
    Unit{"min", 60},     Unit{"minute", 60},  Unit{"minutes", 60},  Unit{"h", 3600},
    Unit{"hour", 3600},  Unit{"hours", 3600}, Unit{"d", 86400},     Unit{"day", 86400},
    Unit{"days", 86400}, Unit{"w", 604800},   Unit{"week", 604800}, Unit{"weeks", 604800},
};

// Takes decimal digits off the front: exactly `count`, or any number when 0.
bool take_number(std::string_view& text, size_t count, int64_t& value) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || (count != 0 && digits != count)) return false;
  if (std::from_chars(text.data(), text.data() + digits, value).ec != std::errc()) return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// ".25" → 250,000,000 ns; nothing → 0.
bool take_fraction(std::string_view& text, int64_t& ns) {
  ns = 0;
  if (!take(text, '.')) return true;
  int64_t scale = kSecondNs / 10;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    ns += (text[digits] - '0') * scale;
    scale /= 10;
  }
  text.remove_prefix(digits);
  return digits > 0;
}

Timestamp moment_of(int64_t seconds, int64_t ns) {
  return Timestamp{std::clamp(seconds, -kMostSeconds, kMostSeconds) * kSecondNs + ns};
}

std::optional<Timestamp> parse_date(std::string_view text) {
  std::tm parts = {};
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t ns = 0;
  if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) ||
      !take(text, '-') || !take_number(text, 2, day)) {
    return std::nullopt;
  }
  if (!text.empty()) {
    if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
    if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute)) {
      return std::nullopt;
    }
    if (take(text, ':') && (!take_number(text, 2, second) || !take_fraction(text, ns))) {
      return std::nullopt;
    }
  }
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  parts.tm_year = static_cast<int>(year - 1900);
  parts.tm_mon = static_cast<int>(month - 1);
  parts.tm_mday = static_cast<int>(day);
  parts.tm_hour = static_cast<int>(hour);
  parts.tm_min = static_cast<int>(minute);
  parts.tm_sec = static_cast<int>(second);
  parts.tm_isdst = -1;
  if (text.empty()) return moment_of(std::mktime(&parts), ns);
  if (take(text, 'Z')) {
    return text.empty() ? std::optional(moment_of(timegm(&parts), ns)) : std::nullopt;
  }
  const int64_t sign = text.front() == '-' ? -1 : 1;
  int64_t zone_hours = 0;
  int64_t zone_minutes = 0;
  if ((!take(text, '+') && !take(text, '-')) || !take_number(text, 2, zone_hours) ||
      !take(text, ':') || !take_number(text, 2, zone_minutes) || !text.empty()) {
    return std::nullopt;
  }
  const int64_t offset = sign * (zone_hours * 3600 + zone_minutes * 60);
  return moment_of(timegm(&parts) - offset, ns);
}

// "90s ago", "2 hours ago"; centuries ago is as good as any longer.
std::optional<int64_t> parse_ago(std::string_view text) {
  if (!text.ends_with(" ago")) return std::nullopt;
  text.remove_suffix(4);
  double count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || !(count >= 0) || count > 1e9) return std::nullopt;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  while (take(unit, ' ')) {
  }
  for (const Unit& known : kUnits) {
    if (unit == known.name) {
      const double seconds = count * static_cast<double>(known.seconds);
      return static_cast<int64_t>(std::min(seconds, static_cast<double>(kMostSeconds)) * 1e9);
    }
  }
  return std::nullopt;
}

std::optional<When> parse_moment(std::string_view text, Timestamp now) {
  When when;
  when.kind = When::Kind::kTime;
  when.time = now;
  when.relative = true;
  if (text == "now") return when;
  if (text == "yesterday") {
    when.time.ns -= 86400 * kSecondNs;
    return when;
  }
  if (const auto ago = parse_ago(text)) {
    when.time.ns -= *ago;
    return when;
  }
  when.relative = false;
  if (const auto date = parse_date(text)) {
    when.time = *date;
    return when;
  }
  int64_t number = 0;
  std::string_view rest = text;
  const bool seconds = take(rest, '@');
  if (!take_number(rest, 0, number)) return std::nullopt;
  int64_t ns = 0;
  if (seconds) {
    if (!take_fraction(rest, ns) || !rest.empty() || number > INT64_MAX / kSecondNs - 1) {
      return std::nullopt;
    }
    when.time = {number * kSecondNs + ns};
    return when;
  }
  if (!rest.empty()) return std::nullopt;
  when.kind = When::Kind::kSequence;
  when.sequence = {static_cast<uint64_t>(number)};
  return when;
}

Result<Timestamp> change_time(kv::Store& store, Sequence sequence) {
  const auto stored = TRY(store.get(kv::Family::kChanges, wire::change_key(sequence, 0)));
  if (!stored) return Code::kNotFound;
  return TRY(wire::decode_change(*stored)).time;
}

Result<wire::StateRow> load_state(kv::Store& store) {
  const auto stored = TRY(store.get(kv::Family::kVolume, wire::kStateKey));
  if (!stored) return Error(Code::kNotFound, "the volume was never written to");
  return wire::decode_state(*stored);
}

// The last change row at or before the time, by halving.
Result<Sequence> sequence_at(kv::Store& store, const wire::StateRow& state, Timestamp time) {
  uint64_t low = std::max<uint64_t>(state.floor.value, 1);
  uint64_t high = state.committed.value;
  if (time >= state.time) return state.committed;
  const auto first = change_time(store, {low});
  if (first.ok() && time < *first) {
    if (state.floor.value > 1) {
      return Error(Code::kBelowFloor,
                   "history begins at " + format_time(*first) + ": nothing older is kept");
    }
    return Error(Code::kNotFound, "the volume was made at " + format_time(*first));
  }
  while (low < high) {
    const uint64_t middle = low + (high - low + 1) / 2;
    const auto at = change_time(store, {middle});
    if (!at.ok() && at.code() != Code::kNotFound) return at.error();
    // A pruned row lies below the floor, and so before the time.
    if (!at.ok() || *at <= time) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return Sequence{low};
}

}  // namespace

Result<When> parse_when(std::string_view text, Timestamp now) {
  if (const auto moment = parse_moment(text, now)) return *moment;
  if (text.empty() || text.size() > kMaxSnapshotName || text.find('/') != std::string_view::npos) {
    return Error(Code::kInvalid,
                 fmt::format("'{}' is no moment: write a time such as 2026-03-01T12:30, '2 hours "
                             "ago', a sequence number or a snapshot's name",
                             text));
  }
  When when;
  when.name = text;
  return when;
}

std::string format_time(Timestamp time) {
  int64_t seconds = time.ns / kSecondNs;
  int64_t ns = time.ns % kSecondNs;
  if (ns < 0) {
    ns += kSecondNs;
    --seconds;
  }
  std::tm parts = {};
  const std::time_t clock = seconds;
  gmtime_r(&clock, &parts);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (ns != 0) {
    text += fmt::format(".{:09}", ns);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

Status check_snapshot_name(std::string_view name) {
  const bool bad = name.empty() || name.size() > kMaxSnapshotName || name == "." || name == ".." ||
                   name.find_first_of(std::string_view("/\0", 2)) != std::string_view::npos;
  if (bad) {
    return Error(Code::kInvalid, "a snapshot's name has 1 to 255 bytes and no slash");
  }
  if (parse_moment(name, {})) {
    return Error(Code::kInvalid, fmt::format("'{}' means a moment: choose another name", name));
  }
  return {};
}

Result<std::vector<Snapshot>> list_snapshots(kv::Store& store) {
  std::vector<Snapshot> snapshots;
  const auto rows = store.iterate(kv::Family::kVolume, kv::prefix_range(wire::kSnapshotPrefix));
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const auto row = TRY(wire::decode_snapshot(rows->value()));
    snapshots.push_back({std::string(rows->key().substr(1)), row.sequence, row.created});
  }
  TRY(rows->status());
  return snapshots;
}

Result<std::optional<Snapshot>> find_snapshot(kv::Store& store, std::string_view name) {
  const auto stored = TRY(store.get(kv::Family::kVolume, wire::snapshot_key(name)));
  if (!stored) return std::optional<Snapshot>();
  const auto row = TRY(wire::decode_snapshot(*stored));
  return std::optional<Snapshot>({std::string(name), row.sequence, row.created});
}

Result<Sequence> resolve(kv::Store& store, const When& when) {
  if (when.kind == When::Kind::kName) {
    const auto snapshot = TRY(find_snapshot(store, when.name));
    if (!snapshot) return Error(Code::kNotFound, "there is no snapshot named '" + when.name + "'");
    return snapshot->sequence;
  }
  const auto state = TRY(load_state(store));
  if (when.kind == When::Kind::kTime) return sequence_at(store, state, when.time);
  if (when.sequence > state.committed || when.sequence.value == 0) {
    return Error(Code::kNotFound, fmt::format("sequence {} is not between 1 and {}, the latest",
                                              when.sequence.value, state.committed.value));
  }
  if (when.sequence < state.floor) {
    for (const Snapshot& snapshot : TRY(list_snapshots(store))) {
      if (snapshot.sequence == when.sequence) return when.sequence;
    }
    return Error(Code::kBelowFloor,
                 fmt::format("history begins at sequence {}", state.floor.value));
  }
  return when.sequence;
}

Result<Timestamp> time_of(kv::Store& store, Sequence sequence) {
  return change_time(store, sequence);
}

}  // namespace nacre::meta
