// Restoring into the present of the volume. Content is shared with the past, not copied; mode,
// owner, times and attributes become what they were.
//
// What has a name now that it had then is the same thing to people, whichever inode bears it: "in
// place" a file's old content is laid over it, so that hard links and open files see it. Elsewhere
// nothing that exists is touched without force.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "fs/live_tree.h"
#include "node/mounts.h"
#include "node/path_history.h"
#include "node/restore.h"

namespace nacre::node {

struct PresentTargetOptions {
  bool in_place = false;
  bool force = false;
  bool dry_run = false;  // changes nothing, but finds what would be refused
};

// For one thread.
class PresentTarget final : public RestoreTarget {
 public:
  // The top of what is restored becomes `top`, whose parent directory exists. `mounts` is null when
  // nothing is mounted.
  static Result<PresentTarget> open(fs::Volume& volume, Mounts* mounts, const PathComponents& top,
                                    const PresentTargetOptions& options);

  // Errors: kExists for what is in the way, with its path.
  Status enter_directory(const std::string& name, const PastFile& directory) override;
  Status leave_directory(const PastFile& directory) override;
  Status put(const std::string& name, const PastFile& file) override;

 private:
  enum class Action { kCreate, kOverlay, kAttributes, kReplace };
  struct Place {
    InodeId parent;  // zero: in a directory that a dry run did not make
    std::string name;
    std::optional<meta::Attr> existing;
  };

  PresentTarget(fs::Volume& volume, Mounts* mounts, PathComponents top, InodeId parent,
                const PresentTargetOptions& options);
  Result<Place> find(const std::string& name);
  std::string path_of(const Place& place) const;
  Result<Action> choose(const Place& place, const PastFile& file) const;
  Result<InodeId> make(const Place& place, const std::string& name, const PastFile& file);
  Status create(const Place& place, const PastFile& file);
  Status overlay(const Place& place, const PastFile& file);
  Status replace(const Place& place, const PastFile& file);
  Status make_room(const Place& place);
  Status apply_attributes(InodeId ino, const PastFile& file);
  Status apply_xattrs(InodeId ino, const PastFile& file);
  void changed(const Place& place);

  fs::Volume& volume_;
  fs::LiveTree tree_;
  Mounts* const mounts_;
  const PathComponents top_;
  const PresentTargetOptions options_;
  std::vector<InodeId> directories_;  // the parent of the top, then those entered
  PathComponents names_;              // of those entered
  std::unordered_map<InodeId, InodeId>
      linked_;  // from files with several names to what they became
};

// Makes the missing directories above `path`, as they were at `at` where history knows them.
Status make_parents(fs::Volume& volume, Mounts* mounts, const PathComponents& path, Sequence at);

}  // namespace nacre::node
