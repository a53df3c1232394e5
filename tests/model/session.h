// Plays a script on a machine beside the oracle, and compares: every answer, the whole tree from
// time to time, and every moment of the past that was committed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "model/cuts.h"
#include "model/generator.h"
#include "model/machine.h"
#include "model/model.h"
#include "model/tree_runner.h"

namespace nacre::model {

struct Failure {
  size_t operation = 0;  // its place in the script; one past the end: when all was done
  std::string text;
};

class Session {
 public:
  // The machine is not open yet, and outlives the session. `cuts_at_once`: what a commit holds is
  // the state when it was asked for.
  Session(Machine& machine, const Rules& rules, bool cuts_at_once);

  // Opens, plays, checks, closes. What went wrong first, or nothing.
  std::optional<Failure> play(const Script& script);

  // The parts of it.
  std::string begin();
  std::string step(const Operation& operation);
  std::string finish();

  const Model& model() const { return model_; }

 private:
  std::string perform(const Operation& operation);
  bool may_fail(Code code);
  std::string compare(const Operation& operation);
  std::string scan_on(const Operation& operation);
  std::string commit();
  std::string snapshot(uint64_t number);
  std::string statfs();
  std::string reopen();
  std::string abandon();
  std::string restore(const Operation& operation);
  std::string upkeep(const Operation& operation);
  Status do_duty(Kind kind);
  std::string prune(size_t moment);
  std::string unpin(uint64_t number);
  void follow_floor();
  std::string find_snapshots();
  std::string check(const Aspects& aspects);
  std::string check_numbers(const Inodes& inodes);
  std::string check_moment(size_t moment);
  std::string check_cuts();
  std::string check_synced(const Operation& operation);
  std::string check_history();
  Status open();
  Status open_after_cut();

  Machine& machine_;
  const Rules rules_;
  Model model_;
  Cuts cuts_;
  std::vector<Sequence> moments_;  // of the oracle's moments
  std::map<std::string, Sequence> snapshots_;
  std::map<NodeId, InodeId> numbers_;  // which inode each of the oracle's nodes is
  std::unique_ptr<TreeRunner> runner_;
  uint64_t next_cut_ = 0;  // of power, when the volume is opened after one; 0: none
  Sequence floor_;
  bool pruned_ = false;  // history has gaps
  bool synced_ = false;  // the operation was a kSync that succeeded
};

}  // namespace nacre::model
