#include "meta/row_table.h"

#include "base/check.h"
#include "wire/rows.h"

namespace nacre::meta {

namespace {

// One group's rows of a range, from the lowest up.
struct GroupCursor {
  using Map = std::map<std::string, PendingRow, std::less<>>;
  GroupCursor(const Group* group, const kv::Range& range) {
    if (group == nullptr) return;
    at = group->rows.lower_bound(range.lower);
    end = range.upper.empty() ? group->rows.end() : group->rows.lower_bound(range.upper);
    live = true;
  }
  bool valid() const { return live && at != end; }
  bool is_at(std::string_view key) const { return valid() && at->first == key; }

  Map::const_iterator at, end;
  bool live = false;
};

}  // namespace

RowTable::RowTable(kv::Store& store, Sequence committed)
    : store_(store), active_(std::make_shared<Group>()) {
  active_->sequence = Sequence{committed.value + 1};
}

Result<std::optional<std::string>> RowTable::get(std::string_view key) const {
  for (const Group* group : {active_.get(), closed_.get()}) {
    if (group == nullptr) continue;
    if (const auto row = group->rows.find(key); row != group->rows.end()) return row->second.value;
  }
  return store_.get(kv::Family::kLive, key);
}

Status RowTable::scan(const kv::Range& range, const Visitor& visit) const {
  GroupCursor active(active_.get(), range);
  GroupCursor closed(closed_.get(), range);
  const auto stored = store_.iterate(kv::Family::kLive, range);
  for (stored->seek(range.lower);;) {
    std::string_view key;
    if (stored->valid()) key = stored->key();
    bool any = stored->valid();
    for (const GroupCursor* cursor : {&closed, &active}) {
      if (cursor->valid() && (!any || cursor->at->first < key)) key = cursor->at->first;
      any |= cursor->valid();
    }
    if (!any) return stored->status();

    const bool in_active = active.is_at(key);
    const bool in_closed = closed.is_at(key);
    const bool in_store = stored->valid() && stored->key() == key;
    bool more = true;
    if (in_active || in_closed) {
      const PendingRow& row = in_active ? active.at->second : closed.at->second;
      if (row.value) more = visit(key, *row.value);
    } else {
      more = visit(key, stored->value());
    }
    if (!more) return {};
    if (in_active) ++active.at;
    if (in_closed) ++closed.at;
    if (in_store) stored->next();
  }
}

PendingRow& RowTable::pending(const std::string& key, const std::optional<std::string>& current) {
  const auto [row, added] = active_->rows.try_emplace(key);
  if (added) row->second.base = current;
  return row->second;
}

void RowTable::put(const std::string& key, std::string value,
                   const std::optional<std::string>& current) {
  PendingRow& row = pending(key, current);
  wire::set_begin(value, active_->sequence);
  row.value = std::move(value);
  row.history = true;
}

void RowTable::erase(const std::string& key, const std::optional<std::string>& current) {
  PendingRow& row = pending(key, current);
  row.value.reset();
  row.history = true;
  if (!row.base) active_->rows.erase(key);
}

void RowTable::put_quietly(const std::string& key, std::string value, const std::string& current) {
  PendingRow& row = pending(key, current);
  if (row.value) {
    value.replace(0, sizeof(Sequence), *row.value, 0, sizeof(Sequence));
  } else {
    value.replace(0, sizeof(Sequence), current, 0, sizeof(Sequence));
  }
  row.value = std::move(value);
}

void RowTable::put_volume(std::string key, std::optional<std::string> value) {
  active_->volume_rows.insert_or_assign(std::move(key), std::move(value));
}

Result<std::optional<std::string>> RowTable::get_volume(std::string_view key) const {
  for (const Group* group : {active_.get(), closed_.get()}) {
    if (group == nullptr) continue;
    if (const auto row = group->volume_rows.find(key); row != group->volume_rows.end()) {
      return row->second;
    }
  }
  return store_.get(kv::Family::kVolume, key);
}

bool RowTable::has_pending(std::string_view key) const {
  return active_->rows.contains(key) || (closed_ != nullptr && closed_->rows.contains(key));
}

std::shared_ptr<const Group> RowTable::cut() {
  CHECK(closed_ == nullptr);
  closed_ = std::move(active_);
  active_ = std::make_shared<Group>();
  active_->sequence = Sequence{closed_->sequence.value + 1};
  return closed_;
}

void RowTable::retire() { closed_.reset(); }

void RowTable::correct_allocated(InodeId ino, uint64_t allocated_bytes) {
  const auto row = active_->rows.find(wire::inode_key(ino));
  if (row == active_->rows.end()) return;
  for (std::optional<std::string>* value : {&row->second.value, &row->second.base}) {
    if (!*value) continue;
    auto inode = wire::decode_inode(**value);
    if (!inode) continue;  // damage is reported where the row is used
    inode->allocated_bytes = allocated_bytes;
    *value = wire::encode(*inode);
  }
}

}  // namespace nacre::meta
