#include "model/cuts.h"

namespace nacre::model {

void Cuts::begin(const State& state, Sequence committed) {
  window_ = {state};
  extend(committed);
}

void Cuts::extend(Sequence committed) {
  for (uint64_t s = committed_.value + 1; s <= committed.value; ++s) states_[s] = window_;
  committed_ = std::max(committed_, committed);
}

void Cuts::note(Sequence committed, const State& before, const State& after) {
  if (at_once_) window_ = {before};
  window_.push_back(after);
  if (committed <= committed_) return;
  extend(committed);
  window_ = {before, after};
}

std::vector<State> Cuts::recover(Sequence recovered) {
  const Sequence acknowledged = committed_;
  extend(recovered);
  std::vector<State> states = states_.at(recovered.value);
  if (!at_once_ && acknowledged < recovered) {
    const std::vector<State>& before = states_.at(recovered.value - 1);
    states.insert(states.begin(), before.begin(), before.end());
  }
  return states;
}

void Cuts::prune(Sequence floor, const std::set<uint64_t>& snapshots) {
  std::erase_if(states_, [&](const auto& cut) {
    return cut.first < floor.value && !snapshots.contains(cut.first);
  });
}

}  // namespace nacre::model
