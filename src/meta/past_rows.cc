#include "meta/past_rows.h"

#include "wire/rows.h"

namespace nacre::meta {

Result<std::optional<std::string>> PastRows::get(std::string_view key) const {
  const std::string from = wire::past_key(key, Sequence{at_.value + 1});
  const auto past = store_.iterate(kv::Family::kPast, {from, kv::prefix_end(key)}, snapshot_.get());
  past->seek(from);
  TRY(past->status());
  std::optional<std::string> value;
  // A longer key may start with this one only if it is no key of ours: lengths tell.
  if (past->valid() && past->key().size() == key.size() + 8) {
    value = std::string(past->value());
  } else {
    value = TRY(store_.get(kv::Family::kLive, key, snapshot_.get()));
  }
  if (value && TRY(wire::begin_of(*value)) > at_) value.reset();
  return value;
}

Status PastRows::scan(const kv::Range& range, const Visitor& visit) const {
  const auto past = store_.iterate(kv::Family::kPast, range, snapshot_.get());
  const auto live = store_.iterate(kv::Family::kLive, range, snapshot_.get());
  past->seek(range.lower);
  live->seek(range.lower);
  while (past->valid() || live->valid()) {
    std::string key;  // the lowest key not yet decided
    if (past->valid()) key = TRY(wire::decode_past_key(past->key())).live_key;
    const bool from_past = past->valid() && (!live->valid() || key <= live->key());
    if (!from_past) key = live->key();

    std::optional<std::string> value;
    if (from_past) {
      past->seek(wire::past_key(key, Sequence{at_.value + 1}));
      if (past->valid() && TRY(wire::decode_past_key(past->key())).live_key == key) {
        value = std::string(past->value());
        past->seek(wire::past_key(key, Sequence{UINT64_MAX}));
      }
    }
    if (live->valid() && live->key() == key) {
      if (!value) value = std::string(live->value());
      live->next();
    }
    if (value && TRY(wire::begin_of(*value)) <= at_ && !visit(key, *value)) return {};
  }
  TRY(past->status());
  return live->status();
}

}  // namespace nacre::meta
