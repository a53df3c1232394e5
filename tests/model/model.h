// The oracle: a file system in the simplest code that can be right. It says of every operation what
// it must answer, as text, and keeps what the tree must look like afterwards.
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
  Aspects aspects;
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
  // The root was made at `start`.
  explicit Model(const Rules& rules = {}, Timestamp start = {});

  // Whether the operation means anything now: its slots are held, its moment exists.
  bool applies(const Operation& operation) const;
  // Performs it at this time; returns the answer: "ok", "ok" and a result, or the name of an errno.
  // Operations on the volume as a whole change nothing here, save through the functions below.
  std::string run(const Operation& operation, Timestamp now);

  const State& state() const { return state_; }
  // Goes back to the state before an operation that failed for want of space or by a fault.
  void take_back(const State& state) { state_ = state; }
  // Handles go, and with them nodes without names; the tree is as `state` has it.
  void reopen(State state);

  // The present becomes a moment that "~N" paths can name.
  void remember() { moments_.emplace_back(state_); }
  // A moment is no longer in history.
  void lose_moment(size_t moment) { moments_[moment].reset(); }
  const std::vector<std::optional<State>>& moments() const { return moments_; }
  // Which of them a "~N" path names; there is at least one.
  size_t moment_of(const std::string& path) const;

  std::optional<NodeId> slot(size_t index) const { return slots_[index % kSlots]; }
  // A scan read these names, and came to the end. Returns what is wrong with that, or nothing.
  std::string scanned(size_t slot, const std::vector<std::string>& names, bool at_end);
  // The node a path names; its error if there is none.
  Result<NodeId> find(const std::string& path) const;
  // The same, as it is at the moment the path speaks of.
  Result<const Node*> readable(const std::string& path) const;

 private:
  // What a path names: an entry of a directory, there or not, or a held node.
  struct Place {
    const State* state = nullptr;
    bool past = false;
    NodeId parent = 0;  // 0: a held node or a root, by itself
    std::string name;
    bool too_long = false;  // the name
    std::optional<NodeId> node;
  };
  Result<Place> resolve(const std::string& path) const;
  // A node to be changed, which lies in the present.
  Result<NodeId> changeable(const std::string& path) const;
  bool slots_exist(const std::string& path) const;
  bool applies_to_kernel(const Operation& operation) const;

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
  void drop_if_unused(NodeId node);
  bool is_held(NodeId node) const;
  void update_scans();

  Status write(const Operation& operation);
  Status allocate(const Operation& operation);
  Status truncate(const Operation& operation);
  Status restore(const Operation& operation);
  Result<std::string> copy(const Operation& operation);
  Result<std::string> read(const Operation& operation);
  Result<std::string> seek(const Operation& operation) const;
  void touch_content(Node& node);
  // As reading does, under relatime. The past is not touched.
  void touch_atime(const std::string& path);
  void touch_atime(NodeId node);
  Status set_attributes(const Operation& operation);
  Status set_xattr(const Operation& operation);
  Status remove_xattr(const Operation& operation);

  Rules rules_;
  State state_;
  Timestamp now_;
  uint64_t operations_ = 0;
  std::vector<std::optional<State>> moments_;
  std::array<std::optional<NodeId>, kSlots> slots_;
  std::array<std::optional<Scan>, kSlots> scans_;
};

// How a path starts: '/', '@' or '~', the number after it, and the names.
struct ParsedPath {
  char root = '/';
  size_t number = 0;
  std::vector<std::string> names;
};
ParsedPath parse_path(const std::string& path);

// The answer to an operation that failed: the name of the errno.
std::string answer_of(Code code);
std::string answer_of_errno(int error_number);
// The length and a digest of what was read.
std::string answer_of_bytes(std::string_view bytes);
// The entries of a directory: "a:f b:d ". In name order.
std::string answer_of_entries(const std::map<std::string, meta::FileType>& entries);

}  // namespace nacre::model
