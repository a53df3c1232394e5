// One moment of a file tree as the oracle keeps it: plain nodes by number. Copying a state is
// cheap: nodes are shared until they change.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/units.h"
#include "meta/types.h"
#include "model/content.h"

namespace nacre::model {

// The oracle's own inode numbers; the root is 1 here too.
using NodeId = uint64_t;
inline constexpr NodeId kRoot = 1;

struct Node {
  meta::FileType type = meta::FileType::kRegular;
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t nlink = 0;
  uint64_t rdev = 0;
  Timestamp atime, mtime, ctime;
  std::string target;
  Content content;
  std::map<std::string, std::string> xattrs;
  std::map<std::string, NodeId> entries;
  NodeId parent = 0;            // of a directory
  uint64_t content_change = 0;  // which operation last changed the bytes

  bool is_directory() const { return type == meta::FileType::kDirectory; }
  bool is_regular() const { return type == meta::FileType::kRegular; }
  uint64_t size() const;
};

class State {
 public:
  // An empty root directory.
  State();

  const Node* find(NodeId id) const;
  // Of a node that exists.
  const Node& at(NodeId id) const { return *nodes_.at(id); }
  // For writing.
  Node& change(NodeId id);
  NodeId add(Node node);
  void erase(NodeId id) { nodes_.erase(id); }
  size_t node_count() const { return nodes_.size(); }
  // The number of the node that is added next.
  NodeId next() const { return next_; }
  // Forgets the nodes without names, as opening a volume does.
  void drop_orphans();
  const std::map<NodeId, std::shared_ptr<Node>>& nodes() const { return nodes_; }

 private:
  std::map<NodeId, std::shared_ptr<Node>> nodes_;
  NodeId next_ = kRoot + 1;
};

// What two trees are compared by: a line for each path.
using Dump = std::map<std::string, std::string>;

// What is compared, for not everything can be known of every tree.
struct Aspects {
  bool times = true;
  bool atime = true;
  bool directory_sizes = true;
  bool ranges = true;      // where data is and where holes are, exactly
  bool allocated = false;  // bytes held; known when nothing is pending
};

meta::Attr attr_of(const Node& node);
std::string describe(const meta::Attr& attr, const Aspects& aspects);
std::string describe(const std::vector<std::pair<uint64_t, uint64_t>>& ranges);
std::string describe(const std::map<std::string, std::string>& xattrs);

Dump dump_of(const State& state, const Aspects& aspects);
// The lines of one node; `path` names it.
std::string line_of(const Node& node, const Aspects& aspects);

// Where they differ, a few lines of it; empty when they are the same.
std::string difference(const Dump& expected, const Dump& actual);

}  // namespace nacre::model
