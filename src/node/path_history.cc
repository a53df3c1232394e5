#include "node/path_history.h"

#include <fmt/format.h>

#include <algorithm>

#include "meta/history.h"
#include "meta/moments.h"
#include "meta/past_rows.h"

namespace nacre::node {
namespace {

using meta::FileType;

constexpr Sequence kLatest{UINT64_MAX - 1};
// Of directories below each other, against loops in damaged rows.
constexpr size_t kMaxDepth = 4096;

// Every tenure of a name in one directory, in no order.
Status collect_tenures(kv::Store& store, const meta::NameKey& key, InodeId parent,
                       const std::string& name, std::vector<Tenure>& tenures) {
  const auto add = [&](std::string_view value, std::optional<Sequence> end) -> Status {
    const wire::DentryRow row = TRY(wire::decode_dentry(value));
    if (row.name == name) {
      tenures.push_back({row.ino, static_cast<FileType>(row.type), row.begin, end});
    }
    return {};
  };
  const auto snapshot = store.snapshot();
  const uint64_t first = meta::cookie_of(key, name);
  for (uint64_t cookie = first; cookie < first + wire::kCookieSlots; ++cookie) {
    const std::string row_key = wire::dentry_key(parent, cookie);
    const auto live = TRY(store.get(kv::Family::kLive, row_key, snapshot.get()));
    if (live) TRY(add(*live, std::nullopt));
    const auto past = store.iterate(kv::Family::kPast, kv::prefix_range(row_key), snapshot.get());
    for (past->seek_to_first(); past->valid(); past->next()) {
      TRY(add(past->value(), TRY(wire::decode_past_key(past->key())).end));
    }
    TRY(past->status());
  }
  return {};
}

bool ends_before(const std::optional<Sequence>& a, const std::optional<Sequence>& b) {
  return a && (!b || *a < *b);
}

// The part of `inner` that lies within `outer`; none if they do not meet.
std::optional<Tenure> clipped(Tenure inner, const Tenure& outer) {
  inner.begin = std::max(inner.begin, outer.begin);
  if (ends_before(outer.end, inner.end)) inner.end = outer.end;
  if (inner.end && *inner.end <= inner.begin) return std::nullopt;
  return inner;
}

// What the name meant in directories while they bore their own, oldest first.
Result<std::vector<Tenure>> tenures_below(kv::Store& store, const meta::NameKey& key,
                                          const std::vector<Tenure>& parents,
                                          const std::string& name) {
  std::vector<Tenure> below;
  for (const Tenure& directory : parents) {
    if (directory.type != FileType::kDirectory) continue;
    std::vector<Tenure> held;
    TRY(collect_tenures(store, key, directory.ino, name, held));
    for (const Tenure& tenure : held) {
      if (const auto part = clipped(tenure, directory)) below.push_back(*part);
    }
  }
  std::ranges::sort(below, {}, &Tenure::begin);
  return below;
}

// Where a state can be read: history may have gone below the floor, but for what snapshots keep.
class ReadableMoments {
 public:
  static Result<ReadableMoments> load(kv::Store& store) {
    ReadableMoments moments;
    const auto stored = TRY(store.get(kv::Family::kVolume, wire::kStateKey));
    if (stored) moments.floor_ = TRY(wire::decode_state(*stored)).floor;
    for (const meta::Snapshot& snapshot : TRY(meta::list_snapshots(store))) {
      moments.snapshots_.push_back(snapshot.sequence);
    }
    std::ranges::sort(moments.snapshots_);
    return moments;
  }

  std::optional<Sequence> within(Sequence begin, const std::optional<Sequence>& end) const {
    const Sequence at = std::max(begin, floor_);
    if (!end || at < *end) return at;
    const auto next = std::ranges::lower_bound(snapshots_, begin);
    if (next != snapshots_.end() && *next < *end) return *next;
    return std::nullopt;
  }

 private:
  Sequence floor_;
  std::vector<Sequence> snapshots_;
};

std::vector<std::string> changes_between(const PathVersion* before, const PathVersion& now,
                                         bool content_changed) {
  if (before == nullptr) return {"first known"};
  if (before->ino != now.ino) return {"another file"};
  const meta::Attr& a = before->attr;
  const meta::Attr& b = now.attr;
  std::vector<std::string> changes;
  if (content_changed) changes.emplace_back("content");
  if (a.size != b.size) changes.emplace_back("size");
  if (a.mode != b.mode) changes.emplace_back("mode");
  if (a.uid != b.uid || a.gid != b.gid) changes.emplace_back("owner");
  if (a.nlink != b.nlink) changes.emplace_back("links");
  if (a.mtime != b.mtime && !content_changed) changes.emplace_back("times");
  if (changes.empty()) changes.emplace_back("attributes");
  return changes;
}

// Appends what one tenure shows, with the file's life before it as far as `earliest`.
Status append_versions(kv::Store& store, const ReadableMoments& moments, const Tenure& tenure,
                       Sequence earliest, std::vector<PathVersion>& versions) {
  const auto states = meta::versions_of(store, tenure.ino);
  if (!states.ok()) return states.code() == Code::kNotFound ? Status() : Status(states.error());
  for (const meta::Version& state : *states) {
    PathVersion version;
    version.ino = tenure.ino;
    version.begin = std::max(state.begin, earliest);
    version.end = ends_before(tenure.end, state.end) ? tenure.end : state.end;
    if (version.end && *version.end <= version.begin) continue;
    const auto at = moments.within(version.begin, version.end);
    if (!at) continue;
    version.at = *at;
    version.attr = state.attr;
    PathVersion* last = versions.empty() ? nullptr : &versions.back();
    const bool same = last != nullptr && last->ino == version.ino && state.begin < version.begin;
    if (same && last->end == version.begin) {
      last->end = version.end;  // it bore another name for a while
      continue;
    }
    version.changes = changes_between(last, version, state.content_changed);
    versions.push_back(std::move(version));
  }
  return {};
}

// Walks a directory through the tenures of everything below it, each clipped to the time in which
// it was there: so a removal is met at the one path that it had, and no directory is met below
// itself however directories were moved into each other.
class DeletedWalk {
 public:
  using Visit = std::function<bool(const DeletedPath&)>;

  DeletedWalk(kv::Store& store, const meta::NameKey& key, bool recursive, const Visit& visit)
      : store_(store), key_(key), recursive_(recursive), visit_(visit), now_(store, kLatest) {}

  Status run(const PathComponents& path, const std::vector<Tenure>& tenures) {
    for (const Tenure& tenure : tenures) {
      if (tenure.type == FileType::kDirectory) waiting_.push_back({path, tenure});
    }
    while (!waiting_.empty() && listening_) {
      const Directory directory = std::move(waiting_.back());
      waiting_.pop_back();
      TRY(visit_names(directory));
      if (recursive_ && directory.path.size() < kMaxDepth) TRY(descend(directory));
    }
    return {};
  }

 private:
  struct Directory {
    PathComponents path;
    Tenure tenure;
  };

  // Whether the path named something after the commit, by whichever directory.
  Result<bool> named_after(Sequence end, const std::vector<Tenure>& parents,
                           const std::string& name) {
    for (const Tenure& tenure : TRY(tenures_below(store_, key_, parents, name))) {
      if (!tenure.end || *tenure.end > end) return true;
    }
    return false;
  }

  Status visit_names(const Directory& directory) {
    const meta::Span span = {directory.tenure.begin, directory.tenure.end};
    const std::vector<Tenure> bearers = TRY(tenures_of(store_, key_, directory.path));
    for (const meta::PastName& name :
         TRY(meta::deleted_names(store_, key_, directory.tenure.ino, span))) {
      if (bearers.size() > 1 && TRY(named_after(name.end, bearers, name.name))) continue;
      const meta::PastRows last(store_, Sequence{name.end.value - 1});
      const auto inode = meta::load_inode(last, name.ino);
      if (!inode.ok() && inode.code() != Code::kNotFound) return inode.error();
      if (!inode.ok()) continue;  // history of it is gone
      listening_ = visit_({below(directory, name.name), name.ino, name.end, meta::attr_of(*inode)});
      if (!listening_) return {};
    }
    return {};
  }

  Status descend(const Directory& directory) {
    std::vector<std::pair<std::string, Tenure>> found;
    const auto add = [&](const std::string& name, const Tenure& tenure) {
      if (tenure.type != FileType::kDirectory) return;
      if (const auto part = clipped(tenure, directory.tenure)) found.emplace_back(name, *part);
    };
    TRY(meta::visit_past_names(store_, directory.tenure.ino, [&](const meta::PastName& past) {
      add(past.name, {past.ino, past.type, past.begin, past.end});
    }));
    TRY(meta::visit_directory(now_, directory.tenure.ino, 0, [&](const meta::Dentry& dentry) {
      const auto type = static_cast<FileType>(dentry.row.type);
      add(dentry.row.name, {dentry.row.ino, type, dentry.row.begin, std::nullopt});
      return true;
    }));
    for (const auto& [name, tenure] : found) {
      waiting_.push_back({below(directory, name), tenure});
    }
    return {};
  }

  static PathComponents below(const Directory& directory, const std::string& name) {
    PathComponents path = directory.path;
    path.push_back(name);
    return path;
  }

  kv::Store& store_;
  const meta::NameKey& key_;
  const bool recursive_;
  const Visit& visit_;
  const meta::PastRows now_;
  std::vector<Directory> waiting_;
  bool listening_ = true;
};

}  // namespace

Result<PathComponents> split_path(std::string_view path) {
  PathComponents components;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      return Error(Code::kInvalid, "a path in a volume cannot go up by `..`: write it in full");
    }
    TRY(meta::check_name(name));
    components.emplace_back(name);
  }
  return components;
}

std::string join_path(const PathComponents& components) {
  if (components.empty()) return "/";
  std::string path;
  for (const std::string& name : components) path += "/" + name;
  return path;
}

Result<std::vector<Tenure>> tenures_of(kv::Store& store, const meta::NameKey& key,
                                       const PathComponents& path) {
  std::vector<Tenure> tenures = {{kRootInode, FileType::kDirectory, Sequence{}, std::nullopt}};
  for (const std::string& name : path) {
    tenures = TRY(tenures_below(store, key, tenures, name));
  }
  return tenures;
}

Result<PathHistory> history_of(kv::Store& store, const meta::NameKey& key,
                               const PathComponents& path) {
  const std::vector<Tenure> tenures = TRY(tenures_of(store, key, path));
  const ReadableMoments moments = TRY(ReadableMoments::load(store));
  PathHistory history;
  Sequence earliest;
  for (const Tenure& tenure : tenures) {
    TRY(append_versions(store, moments, tenure, earliest, history.versions));
    if (tenure.end) earliest = *tenure.end;
  }
  if (history.versions.empty()) {
    return Error(Code::kNotFound,
                 fmt::format("neither the present nor history knows {}", join_path(path)));
  }
  history.deleted = tenures.back().end.has_value();
  uint64_t number = 0;
  for (PathVersion& version : history.versions) version.number = ++number;
  return history;
}

Status visit_deleted(kv::Store& store, const meta::NameKey& key, const PathComponents& path,
                     bool recursive, const std::function<bool(const DeletedPath&)>& visit) {
  const std::vector<Tenure> tenures = TRY(tenures_of(store, key, path));
  if (tenures.empty()) {
    return Error(Code::kNotFound,
                 fmt::format("neither the present nor history knows {}", join_path(path)));
  }
  if (tenures.back().type != FileType::kDirectory) {
    return Error(Code::kNotDirectory, join_path(path) + " is not a directory");
  }
  return DeletedWalk(store, key, recursive, visit).run(path, tenures);
}

}  // namespace nacre::node
