// The names of the simulated disk: directories with their latest and their durable entries, and
// between them a journal of the changes not synced, in order. A power cut leaves a prefix of it.
//
// Paths are split at '/'; a relative path starts at the root, and there are no symlinks.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/random.h"
#include "os/sim_file_content.h"

namespace nacre::os {

// A file or a directory. Lives while a name, the journal or an open handle refers to it.
struct SimNode {
  explicit SimNode(bool directory) : is_directory(directory) {}

  const bool is_directory;
  uint64_t links = 0;    // latest names
  uint64_t handles = 0;  // open
  // A file's:
  SimFileContent content;
  struct Range {
    uint64_t offset;
    uint64_t length;
  };
  std::vector<Range> unreadable;
  // A directory's:
  std::map<std::string, std::shared_ptr<SimNode>> entries;
  std::map<std::string, std::shared_ptr<SimNode>> durable_entries;
};
using SimNodeRef = std::shared_ptr<SimNode>;

class SimNamespace {
 public:
  // kNotFound; kNotDirectory when the path goes through a file.
  Result<SimNodeRef> find(const std::string& path) const;

  // The changes below fail as the system calls of Linux do, and change nothing then.
  Result<SimNodeRef> create(const std::string& path, bool directory);
  // Gives the file that lost this name.
  Result<SimNodeRef> remove_file(const std::string& path);
  Status remove_directory(const std::string& path);
  // Gives the file that lost the name `to`, null if there was none.
  Result<SimNodeRef> rename(const std::string& from, const std::string& to);
  Status link(const std::string& from, const std::string& to);

  // Makes the latest change of the directory's entries durable, with all changes before it.
  Status sync_directory(const std::string& path);

  // A random prefix of the journal survives. Calls `restore` for each surviving file, in an order
  // that depends on the names alone; its links are counted anew and its handles are gone.
  void crash(Random& random, const std::function<void(SimNode&)>& restore);

 private:
  // A name that now means `target`, or nothing if null.
  struct Edit {
    SimNodeRef directory;
    std::string name;
    SimNodeRef target;
  };
  using Change = std::vector<Edit>;
  // Where a name is or could be.
  struct Place {
    SimNodeRef directory;
    std::string name;
    SimNodeRef node;  // null: nothing there
  };

  Result<Place> locate(const std::string& path) const;
  Result<Place> locate_existing(const std::string& path) const;
  void apply(Change change);
  void make_durable(size_t changes);

  SimNodeRef root_ = std::make_shared<SimNode>(true);
  std::deque<Change> journal_;
};

}  // namespace nacre::os
