// The oracle: a file system in the simplest code that can be right. It says of every operation what it
// must answer, as text, and keeps what the tree must look like afterwards.
//
// Not thread-safe. Permissions are not checked: the caller is root, with umask 022.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/operation.h"
#include "model/state.h"

namespace nacre::model {

inline constexpr size_t kSlots = 8;
inline constexpr uint32_t kUmask = 022;

// Where systems under test differ, rightly.
struct Rules {
  // The kernel stands before the tree: it looks names up first, and refuses nonsense by itself.
  bool kernel = false;
  // A copy drops setuid and setgid whoever makes it.
  bool copy_kills_privileges = true;
};

// A reader that goes through a directory while it changes.
struct Scan {
  NodeId directory = 0;
  std::map<std::string, NodeId> stays;  // there all the time: must be seen once
  std::map<std::string, bool> ever;     // there at some time: may be seen
  std::vector<std::string> seen;
};

class Model {
 public:
  explicit Model(const Rules& rules = {}) : rules_(rules) {}

  // Whether the operation means anything now: its slots are held, its moment exists.
  bool applies(const Operation& operation) const;
  // Performs it at this time; returns the answer: "ok", "ok" and a result, or the name of an errno.
  // Operations on the volume as a whole change nothing here, save through the functions below.
  std::string run(const Operation& operation, Timestamp now);

  const State& state() const { return state_; }
  // Whether an operation that failed for want of space, or by a fault, left no trace is checked by
  // going back to the state before.
  void restore(const State& state) { state_ = state; }
  // Handles go, and with them nodes without names; the tree is as `state` has it.
  void reopen(State state);

  // The present becomes a moment that "~N" paths can name.
  void remember() { moments_.push_back(state_); }
  const std::vector<State>& moments() const { return moments_; }
  size_t moment_of(const std::string& path) const;

  std::optional<NodeId> slot(size_t index) const { return slots_[index % kSlots]; }
  std::array<std::optional<Scan>, kSlots>& scans() { return scans_; }
  // The node a path names; its error if there is none.
  Result<NodeId> find(const std::string& path) const;

 private:
  // What a path names: an entry of a directory, there or not, or a held node.
  struct Place {
    const State* state = nullptr;
    bool past = false;
    NodeId parent = 0;  // 0: a held node or a root, by itself
    std::string name;
    std::optional<NodeId> node;
  };
  Result<Place> resolve(const std::string& path) const;
  Result<NodeId> resolve_node(const std::string& path) const;
  Result<const Node*> read_node(const std::string& path) const;
  // A node to be changed, which lies in the present.
  Result<NodeId> changeable(const std::string& path) const;

  Result<std::string> run_names(const Operation& operation);
  Result<std::string> run_content(const Operation& operation);
  Result<std::string> run_attributes(const Operation& operation);
  Result<std::string> run_handles(const Operation& operation);

  Status make(const Operation& operation, Node node);
  Status link(const Operation& operation);
  Status remove(const Operation& operation);
  Status rename(const Operation& operation);
  Status check_rename(const Operation& operation, const Place& from, const Place& to) const;
  bool is_below(NodeId node, NodeId ancestor) const;
  Status check_parent(const Place& place) const;
  void touch(NodeId directory);
  void drop_link(NodeId node);
  void release_if_unused(NodeId node);
  bool is_held(NodeId node) const;

  Status write(const Operation& operation);
  Result<std::string> copy(const Operation& operation);
  Result<std::string> read(const Operation& operation);
  void touch_content(Node& node);
  void touch_atime(const std::string& path);
  Status set_xattr(const Operation& operation);
  std::string list(const Node& node) const;

  Rules rules_;
  State state_;
  Timestamp now_;
  uint64_t operations_ = 0;
  std::vector<State> moments_;
  std::array<std::optional<NodeId>, kSlots> slots_;
  std::array<std::optional<Scan>, kSlots> scans_;
};

// The answer to an operation that failed.
std::string answer_of(Code code);
std::string answer_of(int error_number);
// "ok", with the length and a digest of what was read.
std::string answer_of_bytes(std::string_view bytes);

}  // namespace nacre::model
