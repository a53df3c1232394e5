// Checks of the change feed: one entry for each commit that history reaches, times ascending, and
// every past row named by the commit that made it.
#include <fmt/format.h>

#include <algorithm>

#include "codec/checksum.h"
#include "keeper/check_run.h"

namespace nacre::keeper {

namespace {

constexpr uint64_t kGapMended = 10'000;  // commits; a longer gap is no accident
constexpr size_t kKeysPerPart = 4'096;

class FeedCheck {
 public:
  explicit FeedCheck(CheckRun& run) : run_(run), named_(run.past_hashes.size()) {
    std::sort(run_.past_hashes.begin(), run_.past_hashes.end());
    expected_ = std::max<uint64_t>(run_.state.floor.value, 1);
  }

  void operator()(std::string_view key, std::string_view value) {
    const auto at = wire::decode_change_key(key);
    if (!at.ok()) {
      return run_.error(FindingKind::kUndecodable, describe_key(key), "this key does not decode");
    }
    if (at->part == 0) {
      ++run_.summary.changes;
      if (at->sequence > run_.state.committed) {
        return run_.error(FindingKind::kFutureRow, where(at->sequence),
                          "the change feed has a commit that never was");
      }
      reach(at->sequence.value);
    } else if (at->sequence != sequence_ || at->part != part_ + 1) {
      run_.warning(FindingKind::kFeed, where(at->sequence),
                   fmt::format("part {} does not follow on another", at->part));
    }
    sequence_ = at->sequence;
    part_ = at->part;
    const auto row = wire::decode_change(value);
    if (!row.ok()) return lost(std::string(key));
    if (at->part == 0) check_time(row->time);
    for (const std::string& touched : row->keys) check_key(touched);
  }

  void finish() {
    reach(run_.state.committed.value + 1);
    if (time_ && *time_ != run_.state.time && sequence_ == run_.state.committed) {
      run_.warning(FindingKind::kFeed, where(sequence_),
                   "the state row gives another time for it than the feed");
    }
  }

  bool is_named(std::string_view past_key) const {
    const uint64_t hash = codec::xxh64(as_bytes(past_key));
    const auto at = std::lower_bound(run_.past_hashes.begin(), run_.past_hashes.end(), hash);
    return named_[static_cast<size_t>(at - run_.past_hashes.begin())];
  }
  bool all_named() const { return std::find(named_.begin(), named_.end(), false) == named_.end(); }

 private:
  static std::string where(Sequence sequence) { return fmt::format("commit {}", sequence.value); }

  // Below the floor only commits that guard something are left; from there on all are there.
  void reach(uint64_t sequence) {
    if (sequence < expected_) return;
    if (sequence > expected_) gap(expected_, sequence);
    expected_ = sequence + 1;
  }

  void gap(uint64_t from, uint64_t to) {
    const bool repairable = to - from <= kGapMended;
    run_.error(FindingKind::kFeed,
               to - from == 1 ? fmt::format("commit {}", from)
                              : fmt::format("commits {} to {}", from, to - 1),
               "missing from the change feed", repairable);
    for (uint64_t at = from; repairable && at < to; ++at) mend({at});
  }

  // The time of a lost entry lies between its neighbours': the earliest it can be.
  void mend(Sequence sequence) {
    time_ = Timestamp{time_ ? time_->ns + 1 : 0};
    run_.mending.changes[wire::change_key(sequence, 0)] =
        wire::encode(wire::ChangeRow{*time_, 0, {}});
  }

  void lost(std::string key) {
    run_.error(FindingKind::kUndecodable, where(sequence_), "its entry in the feed does not decode",
               true);
    if (part_ == 0) return mend(sequence_);
    const Timestamp time = time_.value_or(run_.state.time);
    run_.mending.changes[std::move(key)] = wire::encode(wire::ChangeRow{time, 0, {}});
  }

  void check_time(Timestamp time) {
    if (time_ && time <= *time_) {
      run_.error(FindingKind::kFeed, where(sequence_),
                 "its time is not after that of the commit before");
    }
    time_ = time;
  }

  void check_key(const std::string& live_key) {
    if (!wire::decode_live_key(live_key).ok()) {
      return run_.error(FindingKind::kUndecodable, where(sequence_),
                        "it names a key that does not decode");
    }
    const uint64_t hash = codec::xxh64(as_bytes(wire::past_key(live_key, sequence_)));
    const auto at = std::lower_bound(run_.past_hashes.begin(), run_.past_hashes.end(), hash);
    if (at == run_.past_hashes.end() || *at != hash) return;
    named_[static_cast<size_t>(at - run_.past_hashes.begin())] = true;
  }

  CheckRun& run_;
  std::vector<bool> named_;  // of past_hashes
  uint64_t expected_ = 0;    // the next commit to come
  Sequence sequence_;
  uint32_t part_ = 0;
  std::optional<Timestamp> time_;
};

// Past rows that no entry names get one: a further part of their commit's.
Status name_past_rows(CheckRun& run, const FeedCheck& feed) {
  std::map<Sequence, std::vector<std::string>> unnamed;
  TRY(run.each("history", kv::Family::kPast, {}, [&](std::string_view key, std::string_view) {
    const auto past = wire::decode_past_key(key);
    if (!past.ok() || !wire::decode_live_key(past->live_key).ok() || feed.is_named(key)) {
      return Status();
    }
    run.warning(FindingKind::kHistoryUnguarded, describe_key(key),
                "no entry of the change feed names this past row", true);
    unnamed[past->end].emplace_back(past->live_key);
    return Status();
  }));
  for (const auto& [sequence, keys] : unnamed) {
    const auto parts = run.rows.iterate(
        kv::Family::kChanges,
        {wire::change_key(sequence, 0), wire::change_key(Sequence{sequence.value + 1}, 0)},
        run.at.get());
    uint32_t part = 1;
    for (parts->seek_to_first(); parts->valid(); parts->next()) {
      part = std::max(part, TRY(wire::decode_change_key(parts->key())).part + 1);
    }
    TRY(parts->status());
    for (size_t first = 0; first < keys.size(); first += kKeysPerPart) {
      const size_t count = std::min(kKeysPerPart, keys.size() - first);
      const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(first);
      wire::ChangeRow row{run.state.time, 0, {begin, begin + static_cast<std::ptrdiff_t>(count)}};
      run.mending.changes[wire::change_key(sequence, part++)] = wire::encode(row);
    }
    run.mending.pruned =
        std::min(run.mending.pruned.value_or(sequence), Sequence{sequence.value - 1});
  }
  return {};
}

}  // namespace

Status check_feed(CheckRun& run) {
  FeedCheck check(run);
  TRY(run.each("changes", kv::Family::kChanges, {},
               [&](std::string_view key, std::string_view value) {
                 check(key, value);
                 return Status();
               }));
  check.finish();
  if (!check.all_named()) TRY(name_past_rows(run, check));
  run.past_hashes = {};
  return {};
}

}  // namespace nacre::keeper
