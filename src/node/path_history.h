// What a path has named through time. Files are versioned by inode, but people ask by name, and
// many programs save by writing a new file and renaming it over the old one: so the history of a
// path goes through every file that bore it, and follows each of them back through its renames as
// far as no other file bore the path.
//
// Free functions over committed rows, safe from any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "kv/store.h"
#include "meta/lookup.h"

namespace nacre::node {

using PathComponents = std::vector<std::string>;

// "a/b//c" or "/a/b/c" → {"a", "b", "c"}; "." is left out. kInvalid for "..", which cannot be told
// from names alone.
Result<PathComponents> split_path(std::string_view path);
// "/a/b/c"; "/" for the root.
std::string join_path(const PathComponents& components);

// Bearing a path, from the commit `begin` until the commit `end` (none: still).
struct Tenure {
  InodeId ino;
  meta::FileType type = meta::FileType::kRegular;
  Sequence begin;
  std::optional<Sequence> end;
};
// Every inode that the path named, oldest first, as far as history knows; empty if there was none.
// The root has one, without end.
Result<std::vector<Tenure>> tenures_of(kv::Store& store, const meta::NameKey& key,
                                       const PathComponents& path);

// One state that the path showed, from `begin` until `end` (none: it shows it now).
struct PathVersion {
  uint64_t number = 0;  // 1 is the oldest still in history
  InodeId ino;
  Sequence begin;
  std::optional<Sequence> end;
  Sequence at;  // a moment as of which the state can be read
  meta::Attr attr;
  std::vector<std::string> changes;  // against the version before: "content", "mode", "owner", …
};
struct PathHistory {
  std::vector<PathVersion> versions;  // oldest first
  bool deleted = false;               // the path names nothing now
};
// kNotFound when neither the present nor history knows the path.
Result<PathHistory> history_of(kv::Store& store, const meta::NameKey& key,
                               const PathComponents& path);

// A path that names nothing now but did.
struct DeletedPath {
  PathComponents path;
  InodeId ino;
  Sequence end;     // the commit that took the name away
  meta::Attr attr;  // as it was last
};
// The names that the directory at `path` held and that name nothing now, and with `recursive` those
// of all directories ever below it, until `visit` returns false: each path once, with its latest
// removal. What was moved along with its directory was not removed. kNotFound, kNotDirectory.
Status visit_deleted(kv::Store& store, const meta::NameKey& key, const PathComponents& path,
                     bool recursive, const std::function<bool(const DeletedPath&)>& visit);

}  // namespace nacre::node
