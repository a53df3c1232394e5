#include "kv/memory_store.h"

#include <algorithm>

#include "base/check.h"

namespace nacre::kv {

class MemoryStore::MemorySnapshot final : public Snapshot {
 public:
  explicit MemorySnapshot(MemoryStore& store) : store_(store), moment_(store.hold()) {}
  ~MemorySnapshot() override { store_.release(moment_); }
  Moment moment() const { return moment_; }

 private:
  MemoryStore& store_;
  const Moment moment_;
};

// Holds a copy of its row and finds its way by key, so writers may change the map between moves.
class MemoryStore::MemoryIterator final : public Iterator {
 public:
  MemoryIterator(MemoryStore& store, Family family, Range range, Moment moment)
      : store_(store), family_(family), range_(std::move(range)), moment_(moment) {}
  ~MemoryIterator() override { store_.release(moment_); }

  void seek(std::string_view key) override {
    const os::Lock lock(store_.mutex_);
    settle_forward(rows().lower_bound(std::max<std::string_view>(key, range_.lower)));
  }
  void seek_to_first() override { seek(range_.lower); }
  void seek_for_prev(std::string_view key) override {
    const os::Lock lock(store_.mutex_);
    const bool past_end = !range_.upper.empty() && key >= range_.upper;
    settle_backward(past_end ? rows().lower_bound(range_.upper) : rows().upper_bound(key));
  }
  void next() override {
    CHECK(valid());
    const os::Lock lock(store_.mutex_);
    settle_forward(rows().upper_bound(row_->first));
  }
  void prev() override {
    CHECK(valid());
    const os::Lock lock(store_.mutex_);
    settle_backward(rows().lower_bound(row_->first));
  }
  bool valid() const override { return row_.has_value(); }
  std::string_view key() const override {
    CHECK(valid());
    return row_->first;
  }
  std::string_view value() const override {
    CHECK(valid());
    return row_->second;
  }
  Status status() const override { return {}; }

 private:
  const Rows& rows() const REQUIRES(store_.mutex_) { return store_.families_[index_of(family_)]; }
  // Stops at the first row seen at or after `at`.
  void settle_forward(Rows::const_iterator at) REQUIRES(store_.mutex_) {
    for (; at != rows().end(); ++at) {
      if (!range_.upper.empty() && at->first >= range_.upper) break;
      if (settle_on(*at)) return;
    }
    row_.reset();
  }
  // Stops at the last row seen before `end`.
  void settle_backward(Rows::const_iterator end) REQUIRES(store_.mutex_) {
    while (end != rows().begin()) {
      --end;
      if (end->first < range_.lower) break;
      if (settle_on(*end)) return;
    }
    row_.reset();
  }
  bool settle_on(const Rows::value_type& row) {
    const std::string* value = value_at(row.second, moment_);
    if (value == nullptr) return false;
    row_.emplace(row.first, *value);
    return true;
  }

  MemoryStore& store_;
  const Family family_;
  const Range range_;
  const Moment moment_;
  std::optional<std::pair<std::string, std::string>> row_;
};

MemoryStore::~MemoryStore() {
  const os::Lock lock(mutex_);
  CHECK(held_.empty());
}

Result<std::optional<std::string>> MemoryStore::get(Family family, std::string_view key,
                                                    const Snapshot* at) {
  const os::Lock lock(mutex_);
  const Moment moment = at ? static_cast<const MemorySnapshot*>(at)->moment() : now_;
  const Rows& rows = families_[index_of(family)];
  const auto row = rows.find(key);
  const std::string* value = row == rows.end() ? nullptr : value_at(row->second, moment);
  return value ? std::optional(*value) : std::nullopt;
}

std::unique_ptr<Iterator> MemoryStore::iterate(Family family, Range range, const Snapshot* at) {
  const Moment moment = at ? hold(static_cast<const MemorySnapshot*>(at)->moment()) : hold();
  return std::make_unique<MemoryIterator>(*this, family, std::move(range), moment);
}

std::unique_ptr<Snapshot> MemoryStore::snapshot() {
  return std::make_unique<MemorySnapshot>(*this);
}

Status MemoryStore::write(const Batch& batch, Durability /*durability*/) {
  const os::Lock lock(mutex_);
  ++now_;
  for (const Batch::Change& change : batch.changes()) {
    Rows& rows = families_[index_of(change.family)];
    Versions& versions = rows[change.key];
    versions.insert_or_assign(now_, change.value);
    drop_unseen(versions);
    if (versions.empty()) rows.erase(change.key);
  }
  return {};
}

Result<Usage> MemoryStore::usage() {
  const os::Lock lock(mutex_);
  Usage usage;
  for (const Rows& rows : families_) {
    for (const auto& [key, versions] : rows) {
      for (const auto& [moment, value] : versions) {
        usage.memory_bytes += key.size() + (value ? value->size() : 0);
      }
    }
  }
  return usage;
}

Status MemoryStore::compact(Family family, Range range) {
  const os::Lock lock(mutex_);
  Rows& rows = families_[index_of(family)];
  for (auto row = rows.lower_bound(range.lower); row != rows.end();) {
    if (!range.upper.empty() && row->first >= range.upper) break;
    drop_unseen(row->second);
    row = row->second.empty() ? rows.erase(row) : std::next(row);
  }
  return {};
}

MemoryStore::Moment MemoryStore::hold() {
  const os::Lock lock(mutex_);
  held_.insert(now_);
  return now_;
}

MemoryStore::Moment MemoryStore::hold(Moment moment) {
  const os::Lock lock(mutex_);
  held_.insert(moment);
  return moment;
}

void MemoryStore::release(Moment moment) {
  const os::Lock lock(mutex_);
  held_.erase(held_.find(moment));
}

// Keeps the last version, and of the others those that are the latest at a moment held.
void MemoryStore::drop_unseen(Versions& versions) {
  for (auto version = versions.begin(); std::next(version) != versions.end();) {
    const auto holder = held_.lower_bound(version->first);
    const bool seen = holder != held_.end() && *holder < std::next(version)->first;
    version = seen ? std::next(version) : versions.erase(version);
  }
  if (versions.size() == 1 && !versions.begin()->second) versions.clear();
}

const std::string* MemoryStore::value_at(const Versions& versions, Moment moment) {
  const auto after = versions.upper_bound(moment);
  if (after == versions.begin()) return nullptr;
  const std::optional<std::string>& value = std::prev(after)->second;
  return value ? &*value : nullptr;
}

}  // namespace nacre::kv
