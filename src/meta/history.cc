#include "meta/history.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>

#include "meta/past_rows.h"

namespace nacre::meta {

namespace {

Version version_of(InodeId ino, wire::InodeRow row, std::optional<Sequence> end) {
  Version version;
  version.begin = row.begin;
  version.end = end;
  version.deleted = row.nlink == 0;
  version.content_changed = row.content == row.begin;
  Inode inode{ino, std::move(row), {}};
  version.attr = attr_of(inode);
  return version;
}

// The past dentry rows below a prefix, by key, earliest end first.
Status visit_past(kv::Store& store, const std::string& prefix, const kv::Snapshot* at,
                  const std::function<void(Sequence end, const wire::DentryRow&)>& visit) {
  const auto rows = store.iterate(kv::Family::kPast, kv::prefix_range(prefix), at);
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const auto past = TRY(wire::decode_past_key(rows->key()));
    visit(past.end, TRY(wire::decode_dentry(rows->value())));
  }
  return rows->status();
}

// That a path named an inode, from `begin` until the commit `end` (none: it does still).
struct Held {
  InodeId ino;
  FileType type = FileType::kRegular;
  Sequence begin;
  std::optional<Sequence> end;
};

bool is_later(const std::optional<Sequence>& one, const std::optional<Sequence>& other) {
  return other && (!one || *one > *other);
}

// Follows a path through every directory that ever bore the names, and takes what held it last.
class PathSearch {
 public:
  PathSearch(kv::Store& store, const NameKey& key)
      : store_(store), key_(key), snapshot_(store.snapshot()) {}

  Result<std::optional<Held>> last_of(const Held& directory,
                                      std::span<const std::string> components) const {
    if (components.empty()) return std::optional(directory);
    std::optional<Held> last;
    if (directory.type != FileType::kDirectory) return last;
    for (const Held& entry : TRY(entries(directory, components.front()))) {
      auto held = TRY(last_of(entry, components.subspan(1)));
      if (held && (!last || is_later(held->end, last->end))) last = held;
    }
    return last;
  }

 private:
  // What the name meant while the directory bore its own name.
  Result<std::vector<Held>> entries(const Held& directory, const std::string& name) const {
    std::vector<Held> found;
    const auto add = [&](const wire::DentryRow& row, std::optional<Sequence> end) {
      if (row.name != name) return;
      if (is_later(end, directory.end)) end = directory.end;
      const Sequence begin = std::max(row.begin, directory.begin);
      if (end && *end <= begin) return;
      found.push_back({row.ino, static_cast<FileType>(row.type), begin, end});
    };
    const uint64_t first = cookie_of(key_, name);
    for (uint64_t cookie = first; cookie < first + wire::kCookieSlots; ++cookie) {
      const std::string live_key = wire::dentry_key(directory.ino, cookie);
      const auto live = TRY(store_.get(kv::Family::kLive, live_key, snapshot_.get()));
      if (live) add(TRY(wire::decode_dentry(*live)), std::nullopt);
      TRY(visit_past(store_, live_key, snapshot_.get(),
                     [&](Sequence end, const wire::DentryRow& row) { add(row, end); }));
    }
    return found;
  }

  kv::Store& store_;
  const NameKey& key_;
  const std::unique_ptr<kv::Snapshot> snapshot_;
};

}  // namespace

Result<std::vector<Version>> versions_of(kv::Store& store, InodeId ino) {
  std::vector<Version> versions;
  const std::string key = wire::inode_key(ino);
  const auto snapshot = store.snapshot();
  const auto past = store.iterate(kv::Family::kPast, kv::prefix_range(key), snapshot.get());
  for (past->seek_to_first(); past->valid(); past->next()) {
    const auto at = TRY(wire::decode_past_key(past->key()));
    versions.push_back(version_of(ino, TRY(wire::decode_inode(past->value())), at.end));
  }
  TRY(past->status());
  if (const auto live = TRY(store.get(kv::Family::kLive, key, snapshot.get()))) {
    versions.push_back(version_of(ino, TRY(wire::decode_inode(*live)), std::nullopt));
  }
  // The states between the last unlink and the end are no versions anybody could open.
  while (!versions.empty() && versions.back().deleted) versions.pop_back();
  if (versions.empty()) return Code::kNotFound;
  versions.back().deleted = versions.back().end.has_value();
  versions.front().content_changed = true;
  for (size_t i = 0; i < versions.size(); ++i) versions[i].number = i + 1;
  return versions;
}

Status visit_past_names(kv::Store& store, InodeId parent,
                        const std::function<void(const PastName&)>& visit) {
  return visit_past(store, wire::dentry_prefix(parent), nullptr,
                    [&](Sequence end, const wire::DentryRow& row) {
                      visit({row.name, row.ino, static_cast<FileType>(row.type), row.begin, end});
                    });
}

Result<std::vector<PastName>> deleted_names(kv::Store& store, const NameKey& key, InodeId parent,
                                            const Span& span) {
  std::map<std::string, PastName> latest;
  std::set<std::string> kept;  // through the end of the span
  TRY(visit_past_names(store, parent, [&](const PastName& past) {
    if (past.end <= span.begin || (span.end && past.begin >= *span.end)) return;
    if (span.end && past.end > *span.end) {
      kept.insert(past.name);
    } else if (PastName& name = latest[past.name]; past.end >= name.end) {
      name = past;
    }
  }));
  const PastRows now(store, Sequence{UINT64_MAX - 1});
  std::vector<PastName> names;
  for (auto& [name, past] : latest) {
    const auto held = TRY(find_dentry(now, key, parent, name));
    const bool still = held && (!span.end || held->row.begin < *span.end);
    if (!still && !kept.contains(name)) names.push_back(std::move(past));
  }
  return names;
}

Result<PastPath> find_ever(kv::Store& store, const NameKey& key,
                           const std::vector<std::string>& components) {
  const PathSearch search(store, key);
  const Held root{kRootInode, FileType::kDirectory, Sequence{}, std::nullopt};
  const auto found = TRY(search.last_of(root, components));
  if (!found) return Code::kNotFound;
  return PastPath{found->ino, found->type, found->end};
}

}  // namespace nacre::meta
