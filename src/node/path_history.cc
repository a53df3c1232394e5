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
constexpr size_t kMaxDepth =
    4096;  // of directories below each other, against loops in damaged rows

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

struct Directory {
  PathComponents path;
  InodeId ino;
  size_t depth = 0;
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
    std::vector<Tenure> below;
    for (const Tenure& directory : tenures) {
      if (directory.type != FileType::kDirectory) continue;
      std::vector<Tenure> held;
      TRY(collect_tenures(store, key, directory.ino, name, held));
      for (const Tenure& tenure : held) {
        if (const auto part = clipped(tenure, directory)) below.push_back(*part);
      }
    }
    std::ranges::sort(below, {}, &Tenure::begin);
    tenures = std::move(below);
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
  std::vector<Directory> waiting = {{path, tenures.back().ino, 0}};
  while (!waiting.empty()) {
    const Directory directory = std::move(waiting.back());
    waiting.pop_back();
    const auto below = [&](const std::string& name, InodeId ino) {
      Directory child{directory.path, ino, directory.depth + 1};
      child.path.push_back(name);
      return child;
    };
    for (const meta::PastName& name : TRY(meta::deleted_names(store, key, directory.ino))) {
      DeletedPath deleted{below(name.name, name.ino).path, name.ino, name.end, {}};
      const meta::PastRows last(store, Sequence{name.end.value - 1});
      const auto inode = meta::load_inode(last, name.ino);
      if (!inode.ok() && inode.code() != Code::kNotFound) return inode.error();
      if (!inode.ok()) continue;  // history of it is gone
      deleted.attr = meta::attr_of(*inode);
      if (!visit(deleted)) return {};
      if (recursive && name.type == FileType::kDirectory && directory.depth < kMaxDepth) {
        waiting.push_back(below(name.name, name.ino));
      }
    }
    if (!recursive || directory.depth >= kMaxDepth) continue;
    const meta::PastRows now(store, kLatest);
    TRY(meta::visit_directory(now, directory.ino, 0, [&](const meta::Dentry& dentry) {
      if (static_cast<FileType>(dentry.row.type) == FileType::kDirectory) {
        waiting.push_back(below(dentry.row.name, dentry.row.ino));
      }
      return true;
    }));
  }
  return {};
}

}  // namespace nacre::node
