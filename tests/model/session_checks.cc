// What a session compares besides the answers.
#include <fmt/format.h>

#include <algorithm>

#include "meta/moments.h"
#include "model/history_oracle.h"
#include "model/session.h"

namespace nacre::model {

namespace {

// Access times have no history.
Aspects of_the_past(Aspects aspects) {
  aspects.atime = false;
  aspects.allocated = true;
  return aspects;
}

}  // namespace

std::string Session::check(const Aspects& aspects) {
  Inodes inodes;
  const Dump found = runner_->dump(aspects, &inodes);
  if (std::string wrong = difference(dump_of(model_, aspects), found); !wrong.empty()) {
    return "the tree differs:\n" + wrong;
  }
  return check_numbers(inodes);
}

// An inode keeps its number for life, whatever happens to its names.
std::string Session::check_numbers(const Inodes& inodes) {
  for (const auto& [path, ino] : inodes) {
    const auto node = model_.find(path);
    if (!node.ok()) return "the oracle does not know " + path;
    const InodeId known = numbers_.try_emplace(*node, ino).first->second;
    if (known != ino) {
      return fmt::format("{} was inode {} and is inode {}", path, known.value, ino.value);
    }
  }
  return {};
}

std::string Session::check_moment(size_t moment) {
  if (!model_.moments()[moment]) return {};
  const Aspects aspects = of_the_past(rules_.aspects);
  const Dump found = runner_->dump_past(moments_[moment], aspects);
  const std::string wrong = difference(dump_of(*model_.moments()[moment], aspects), found);
  if (wrong.empty()) return {};
  return fmt::format("as of commit {} the tree differs:\n{}", moments_[moment].value, wrong);
}

std::string Session::check_cuts() {
  const Aspects aspects = of_the_past(rules_.aspects);
  const auto cuts = cuts_.states();
  for (const auto& [sequence, candidates] : cuts) {
    const Dump found = runner_->dump_past(Sequence{sequence}, aspects);
    std::string wrong = "there is no such commit";
    for (auto state = candidates.rbegin(); state != candidates.rend() && !wrong.empty(); ++state) {
      wrong = difference(dump_of(*state, aspects), found);
      if (wrong.empty()) cuts_.narrow(Sequence{sequence}, *state);
    }
    if (wrong.empty()) continue;
    return fmt::format("as of commit {} the tree is like none of {} possible states:\n{}", sequence,
                       candidates.size(), wrong);
  }
  return {};
}

// Those whose making or deleting the power ended are there or not; all others are.
std::string Session::find_snapshots() {
  const auto listed = meta::list_snapshots(machine_.volume().rows());
  if (!listed.ok()) return "snapshots: " + listed.error().to_string();
  std::map<std::string, Sequence> found;
  for (const meta::Snapshot& snapshot : *listed) found[snapshot.name] = snapshot.sequence;
  for (const auto& [name, sequence] : snapshots_) {
    if (!found.contains(name)) return "snapshot " + name + " is gone";
    if (found[name] != sequence) {
      return fmt::format("snapshot {} is of commit {}, not {}", name, found[name].value,
                         sequence.value);
    }
  }
  snapshots_ = std::move(found);
  return {};
}

// What was synced is in some commit, as it is now.
std::string Session::check_synced(const Operation& operation) {
  const auto node = model_.find(operation.path);
  const Aspects aspects = of_the_past(rules_.aspects);
  const std::string now = line_of(model_.state().at(*node), aspects);
  for (const State& state : cuts_.at(cuts_.committed())) {
    const Node* then = state.find(*node);
    if (then != nullptr && line_of(*then, aspects) == now) return {};
  }
  return fmt::format("{} was synced, but commit {} does not hold it", operation.path,
                     cuts_.committed().value);
}

std::string Session::check_history() {
  if (pruned_) return {};
  std::map<uint64_t, State> commits;
  for (const auto& [sequence, states] : cuts_.states()) commits[sequence] = states.front();
  HistoryOracle oracle(commits, numbers_);
  return oracle.check(machine_.volume().rows(), machine_.volume().settings().name_key);
}

}  // namespace nacre::model
