#include "meta/history.h"

#include <algorithm>
#include <map>

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

// The dentry rows that a key had in the past, latest end first.
Status visit_past(
    kv::Store& store, const std::string& prefix,
    const std::function<void(std::string_view key, Sequence end, wire::DentryRow)>& visit) {
  const auto rows = store.iterate(kv::Family::kPast, kv::prefix_range(prefix));
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const auto past = TRY(wire::decode_past_key(rows->key()));
    visit(past.live_key, past.end, TRY(wire::decode_dentry(rows->value())));
  }
  return rows->status();
}

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
  // The state between the last unlink and the end is no version anybody could open.
  if (!versions.empty() && versions.back().deleted) {
    versions.pop_back();
    if (!versions.empty()) versions.back().deleted = true;
  }
  if (versions.empty()) return Code::kNotFound;
  if (versions.back().end) versions.back().deleted = true;
  versions.front().content_changed = true;
  for (size_t i = 0; i < versions.size(); ++i) versions[i].number = i + 1;
  return versions;
}

Result<std::vector<PastName>> deleted_names(kv::Store& store, const NameKey& key, InodeId parent) {
  std::map<std::string, PastName> latest;
  TRY(visit_past(store, wire::dentry_prefix(parent),
                 [&](std::string_view, Sequence end, wire::DentryRow row) {
                   PastName& name = latest[row.name];
                   if (end < name.end) return;
                   name = {row.name, row.ino, static_cast<FileType>(row.type), row.begin, end};
                 }));
  const PastRows now(store, Sequence{UINT64_MAX - 1});
  std::vector<PastName> names;
  for (auto& [name, past] : latest) {
    const auto held = find_dentry(now, key, parent, name);
    if (!held.ok()) return held.error();
    if (!held->has_value()) names.push_back(std::move(past));
  }
  return names;
}

Result<PastPath> find_ever(kv::Store& store, const NameKey& key,
                           const std::vector<std::string>& components) {
  const PastRows now(store, Sequence{UINT64_MAX - 1});
  PastPath at{kRootInode, FileType::kDirectory, std::nullopt};
  for (const std::string& name : components) {
    if (at.type != FileType::kDirectory) return Code::kNotDirectory;
    if (!at.end) {
      const auto held = find_dentry(now, key, at.ino, name);
      if (!held.ok()) return held.error();
      if (const std::optional<Dentry>& dentry = *held) {
        at = {dentry->row.ino, static_cast<FileType>(dentry->row.type), std::nullopt};
        continue;
      }
    }
    PastPath found{};
    const uint64_t first = cookie_of(key, name);
    for (uint64_t cookie = first; cookie < first + wire::kCookieSlots; ++cookie) {
      TRY(visit_past(store, wire::dentry_key(at.ino, cookie),
                     [&](std::string_view, Sequence end, wire::DentryRow row) {
                       if (row.name != name || (found.end && *found.end > end)) return;
                       found = PastPath{row.ino, static_cast<FileType>(row.type), end};
                     }));
    }
    if (!found.end) return Code::kNotFound;
    at = found;
  }
  return at;
}

}  // namespace nacre::meta
