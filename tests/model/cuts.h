// Which states of the oracle a commit may hold. A commit is a cut between two operations: when
// nothing commits in the background it is known which, else it is one of those in a window of time.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "base/ids.h"
#include "model/state.h"

namespace nacre::model {

class Cuts {
 public:
  explicit Cuts(bool at_once) : at_once_(at_once) {}

  // The volume was made.
  void begin(const State& state, Sequence committed);
  // After an operation: the last commit, and the state before and after.
  void note(Sequence committed, const State& before, const State& after);
  // The power went, and the volume came back and is at `recovered`. Returns what the states may be.
  // Where it commits in the background, the last of these commits may be its own: of what opening
  // swept away, and no more.
  std::vector<State> recover(Sequence recovered);
  // The recovered one turned out to be this: the next cut comes after it.
  void settle(Sequence recovered, const State& state) {
    states_[recovered.value] = {state};
    window_ = {state};
  }
  // Commits before `floor` are no longer in history, but for those of snapshots.
  void prune(Sequence floor, const std::set<uint64_t>& snapshots);
  // The same as settle(), long after.
  void narrow(Sequence sequence, const State& state) { states_[sequence.value] = {state}; }

  Sequence committed() const { return committed_; }
  const std::map<uint64_t, std::vector<State>>& states() const { return states_; }
  const std::vector<State>& at(Sequence sequence) const { return states_.at(sequence.value); }

 private:
  void extend(Sequence committed);

  const bool at_once_;
  Sequence committed_;
  std::vector<State> window_;  // where the next cut may fall
  std::map<uint64_t, std::vector<State>> states_;
};

}  // namespace nacre::model
