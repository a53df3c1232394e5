// Checks of past rows: each decodes, those of one key follow each other, and none is kept for
// nobody.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "codec/checksum.h"
#include "keeper/check_run.h"

namespace nacre::keeper {

namespace {

class PastCheck {
 public:
  explicit PastCheck(CheckRun& run)
      : run_(run), live_(run.rows.iterate(kv::Family::kLive, {}, run.at.get())) {}

  Status operator()(std::string_view key, std::string_view value) {
    ++run_.summary.past_rows;
    run_.past_hashes.push_back(codec::xxh64(as_bytes(key)));
    const auto past = wire::decode_past_key(key);
    const auto live =
        past.ok() ? wire::decode_live_key(past->live_key) : Result<wire::LiveKey>(Code::kCorrupt);
    if (!live.ok()) {
      run_.error(FindingKind::kUndecodable, describe_key(key),
                 "this key of history does not decode");
      return {};
    }
    run_.saw_inode(live->ino);
    TRY(enter(past->live_key));
    const auto begin = wire::begin_of(value);
    if (!begin.ok() || !decode(*live, value)) {
      run_.error(FindingKind::kUndecodable, where(*live), "a past row of it does not decode");
      return {};
    }
    check_order(*live, *begin, past->end);
    check_kept(*live, *begin, past->end);
    return {};
  }

  // The last key's past rows against its live one.
  Status finish() { return enter({}); }

 private:
  std::string where(const wire::LiveKey& key) {
    return fmt::format("history of {} ({}{})", run_.describe(key.ino), static_cast<char>(key.kind),
                       key.kind == wire::RowKind::kInode ? "" : fmt::format(" {}", key.position));
  }

  Status enter(std::string_view live_key) {
    if (live_key == key_) return {};
    if (!key_.empty()) TRY(check_live());
    key_ = live_key;
    end_ = {};
    return {};
  }

  // The iterator stands at the first live key from sought_ on. For keys before that, to seek anew
  // would be to pass all rows deleted between once more.
  Status check_live() {
    const bool stands = sought_ && *sought_ <= key_ && (!live_->valid() || live_->key() >= key_);
    if (!stands) {
      live_->seek(key_);
      sought_ = key_;
    }
    TRY(live_->status());
    if (!live_->valid() || live_->key() != key_) return {};
    const auto begin = wire::begin_of(live_->value());
    if (!begin.ok() || *begin >= end_) return {};
    run_.error(
        FindingKind::kHistoryOrder, describe_key(key_),
        fmt::format("it began at {}, before its past ended at {}", begin->value, end_.value));
    return {};
  }

  // Whether the value decodes; counts what an extent takes from its block.
  bool decode(const wire::LiveKey& key, std::string_view value) {
    switch (key.kind) {
      case wire::RowKind::kInode:
        return wire::decode_inode(value).ok();
      case wire::RowKind::kDentry:
        return wire::decode_dentry(value).ok();
      case wire::RowKind::kXattr:
        return wire::decode_xattr(value).ok();
      case wire::RowKind::kExtent:
        break;
    }
    const auto row = wire::decode_extent(value);
    if (row.ok()) tally_extent(run_, key.ino, key.position, *row);
    return row.ok();
  }

  void check_order(const wire::LiveKey& key, Sequence begin, Sequence end) {
    if (begin >= end || end > run_.state.committed) {
      run_.error(FindingKind::kHistoryOrder, where(key),
                 fmt::format("a past row is said to hold from {} to {}", begin.value, end.value));
    } else if (begin < end_) {
      run_.error(FindingKind::kHistoryOrder, where(key),
                 fmt::format("two past rows hold at {}", begin.value));
    }
    end_ = end;
  }

  void check_kept(const wire::LiveKey& key, Sequence begin, Sequence end) {
    if (end > std::min(run_.state.floor, run_.state.pruned)) return;
    const auto pin = std::lower_bound(run_.snapshots.begin(), run_.snapshots.end(), begin);
    if (pin != run_.snapshots.end() && *pin < end) return;
    run_.warning(FindingKind::kHistoryLeft, where(key),
                 fmt::format("a row that ended at {}, below the floor, was not pruned", end.value),
                 true);
    const Sequence before{end.value - 1};
    run_.mending.pruned = std::min(run_.mending.pruned.value_or(before), before);
  }

  CheckRun& run_;
  const std::unique_ptr<kv::Iterator> live_;
  std::optional<std::string> sought_;
  std::string key_;  // live key of the rows being checked
  Sequence end_;     // of the last of them
};

}  // namespace

Status check_past(CheckRun& run) {
  PastCheck check(run);
  TRY(run.each("history", kv::Family::kPast, {},
               [&](std::string_view key, std::string_view value) { return check(key, value); }));
  return check.finish();
}

}  // namespace nacre::keeper
