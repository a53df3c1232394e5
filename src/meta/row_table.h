// The present of the namespace: the rows of the store under the changes that are not committed yet.
//
// Changes collect in the active group. cut() closes it: from then on a new active group collects,
// while the closed one is made durable; retire() drops it once the store holds it. A read looks in
// the active group, then the closed one, then the store. Extents are never in a group: they are
// worked out from dirty content when a group commits.
//
// Not locked: the owner holds its lock shared for reads and exclusive for changes, cut() and
// retire(). Values go in without regard to their first eight bytes: the table sets the begin
// sequence.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "kv/store.h"
#include "meta/row_source.h"

namespace nacre::meta {

struct PendingRow {
  std::optional<std::string> value;  // none: erased
  std::optional<std::string> base;   // before this group; none: did not exist
  bool history = false;              // a past row is due for `base`
};

struct Group {
  Sequence sequence;
  std::map<std::string, PendingRow, std::less<>> rows;
  std::map<std::string, std::optional<std::string>, std::less<>> volume_rows;

  bool empty() const { return rows.empty() && volume_rows.empty(); }
};

class RowTable final : public RowSource {
 public:
  // `committed` is the store's last sequence.
  RowTable(kv::Store& store, Sequence committed);

  Result<std::optional<std::string>> get(std::string_view key) const override;
  Status scan(const kv::Range& range, const Visitor& visit) const override;

  // Replaces a row, `current` being its value as get() gave it under the same lock.
  void put(const std::string& key, std::string value, const std::optional<std::string>& current);
  void erase(const std::string& key, const std::optional<std::string>& current);
  // As put(), but leaves no past row and keeps the begin sequence: for access times and counters.
  void put_quietly(const std::string& key, std::string value, const std::string& current);
  // A row of the volume family, which has no history.
  void put_volume(std::string key, std::optional<std::string> value);
  Result<std::optional<std::string>> get_volume(std::string_view key) const;

  // The group that collects now; its sequence is what its rows will begin with.
  Sequence active_sequence() const { return active_->sequence; }
  // Whether a change of the row is not committed yet.
  bool has_pending(std::string_view key) const;
  bool active_empty() const { return active_->empty(); }
  size_t active_rows() const { return active_->rows.size(); }

  // Closes the active group and returns it; retire() must come before the next cut().
  std::shared_ptr<const Group> cut();
  void retire();
  // The closed group's commit gave the inode another count of allocated bytes: pending rows based
  // on the older count follow.
  void correct_allocated(InodeId ino, uint64_t allocated_bytes);

 private:
  PendingRow& pending(const std::string& key, const std::optional<std::string>& current);

  kv::Store& store_;
  std::shared_ptr<Group> active_;
  std::shared_ptr<Group> closed_;
};

}  // namespace nacre::meta
