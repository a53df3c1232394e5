// Versions, deleted names and lost paths, worked out from the states of all commits, and compared
// with what meta/history.h finds in the rows.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kv/store.h"
#include "meta/history.h"
#include "model/state.h"

namespace nacre::model {

class HistoryOracle {
 public:
  // The state that each commit holds, without gaps; and the inode that each node is, where known.
  HistoryOracle(const std::map<uint64_t, State>& commits, const std::map<NodeId, InodeId>& numbers);

  // What is wrong, or nothing.
  std::string check(kv::Store& rows, const meta::NameKey& name_key) const;

 private:
  // A name that a directory lost: which node it named last, and until which commit.
  struct Lost {
    NodeId node = 0;
    uint64_t end = 0;
  };
  std::string check_versions(kv::Store& rows, NodeId node) const;
  std::string check_deleted(kv::Store& rows, const meta::NameKey& key, NodeId directory) const;
  std::string check_path(kv::Store& rows, const meta::NameKey& key,
                         const std::vector<std::string>& names) const;
  std::vector<std::string> versions_of(NodeId node) const;
  std::string path_answer(const std::vector<std::string>& names) const;
  void collect_paths(const State& state, NodeId directory, std::vector<std::string>& names);
  std::string number(NodeId node) const;

  const std::map<uint64_t, State>& commits_;
  const std::map<NodeId, InodeId>& numbers_;
  uint64_t last_ = 0;
  std::map<NodeId, std::map<std::string, std::vector<Lost>>> lost_;  // by directory and name
  std::map<std::vector<std::string>, bool> paths_;                   // that ever were
};

}  // namespace nacre::model
