// Plays a script of the model below a directory of a mount, beside the oracle, and compares: every
// answer, the whole tree from time to time, and the moments of the past that were committed.
//
// Where the model closes its volume, the volume is unmounted or, the next time, its daemon killed
// after a flush. That needs the mount for one session alone.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "directory_runner.h"
#include "model/generator.h"
#include "model/model.h"
#include "mounted_volume.h"

namespace nacre::mount_test {

struct Setting {
  std::string directory;            // the mountpoint, or any directory where there is no volume
  MountedVolume* volume = nullptr;  // outlives the sessions
  bool alone = true;                // no other session uses the volume
  model::Rules rules;
  model::Profile profile;
  bool evicts = false;  // data leaves the disk before it is checked, and now and then
};

// For a kernel that caches writes (as a mount does without -s) or passes them on as they are.
Setting setting_of(const std::string& directory, MountedVolume* volume, bool alone,
                   bool writes_cached);

class MountSession {
 public:
  explicit MountSession(const Setting& setting);

  // What went wrong first and where, or nothing.
  std::string play(const model::Script& script);

 private:
  std::string begin();
  std::string step(const model::Operation& operation);
  std::string finish();

  std::string compare(const model::Operation& operation);
  std::string scan_on(const model::Operation& operation);
  std::string evict();
  std::string commit(const std::string& snapshot = {});
  std::string unpin(const std::string& snapshot);
  std::string prune(size_t moment);
  void follow_floor();
  std::string reopen();
  std::string check();
  std::string check_moment(size_t moment);
  std::string snapshot_name(uint64_t number) const;
  void make_runner();
  Timestamp now() { return Timestamp{++now_}; }

  const Setting& setting_;
  model::Model model_;
  std::string root_;                 // below the setting's directory
  std::string name_;                 // of it
  std::vector<Sequence> sequences_;  // of the oracle's moments
  std::vector<std::string> moments_;
  std::map<std::string, Sequence> snapshots_;
  Sequence floor_;
  std::map<model::NodeId, InodeId> numbers_;  // which inode each of the oracle's nodes is
  std::unique_ptr<DirectoryRunner> runner_;
  int64_t now_;
  size_t reopens_ = 0;
};

}  // namespace nacre::mount_test
