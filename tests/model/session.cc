#include "model/session.h"

#include <fmt/format.h>

#include "wire/rows.h"

namespace nacre::model {

namespace {

constexpr int64_t kStepNs = 1'000'000;
constexpr int kCloseAttempts = 8;  // faults may strike

std::string unlike(const std::string& expected, const std::string& actual) {
  return fmt::format("expected {}\nfound    {}", expected, actual);
}

}  // namespace

Session::Session(Machine& machine, const Rules& rules, bool cuts_at_once)
    : machine_(machine), rules_(rules), model_(rules, machine.clock().now()), cuts_(cuts_at_once) {}

std::optional<Failure> Session::play(const Script& script) {
  if (std::string wrong = begin(); !wrong.empty()) return Failure{0, wrong};
  for (size_t i = 0; i < script.size(); ++i) {
    if (std::string wrong = step(script[i]); !wrong.empty()) return Failure{i, wrong};
  }
  if (std::string wrong = finish(); !wrong.empty()) return Failure{script.size(), wrong};
  return std::nullopt;
}

Status Session::open() {
  TRY(machine_.open());
  runner_ =
      std::make_unique<TreeRunner>(machine_.tree(), machine_.quiet(), moments_, rules_.aspects);
  return {};
}

std::string Session::begin() {
  const Status opened = open();
  if (!opened.ok()) return "cannot make the volume: " + opened.error().to_string();
  cuts_.begin(model_.state(), machine_.volume().committed());
  return {};
}

std::string Session::step(const Operation& operation) {
  if (!model_.applies(operation)) return {};
  machine_.clock().advance(kStepNs);
  const State before = model_.state();
  std::string wrong = perform(operation);
  if (machine_.is_down()) {
    // What was being done may have been committed, or not; its answer says nothing.
    const bool is_open = machine_.is_open();
    cuts_.note(is_open ? machine_.volume().committed() : cuts_.committed(), before, model_.state());
    return abandon();
  }
  if (!wrong.empty()) return wrong;
  if (operation.kind == Kind::kAbandon) return {};
  cuts_.note(machine_.volume().committed(), before, model_.state());
  return std::exchange(synced_, false) ? check_synced(operation) : std::string();
}

std::string Session::perform(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kCommit:
      return commit();
    case Kind::kSnapshot:
      return snapshot(operation.value);
    case Kind::kStatfs:
      return statfs();
    case Kind::kReopen:
      return reopen();
    case Kind::kAbandon:
      return abandon();
    case Kind::kFault:
      machine_.faults().arm(operation.value);
      return {};
    case Kind::kPowerCut:
      machine_.arm_power_cut(operation.value);
      return {};
    case Kind::kTick:
    case Kind::kCompact:
    case Kind::kPrune:
      return upkeep(operation);
    case Kind::kScanOn:
      return scan_on(operation);
    case Kind::kCheck: {
      std::string wrong = check(rules_.aspects);
      if (wrong.empty() && !moments_.empty()) {
        wrong = check_moment(static_cast<size_t>(machine_.clock().now().ns / kStepNs) %
                             moments_.size());
      }
      return wrong;
    }
    default:
      return compare(operation);
  }
}

std::string Session::compare(const Operation& operation) {
  const State before = model_.state();
  const std::string expected = model_.run(operation, machine_.clock().now());
  const std::string actual = runner_->run(operation);
  const bool may_fail = machine_.faults().take_struck() || machine_.may_be_full();
  if (may_fail && actual == answer_of(Code::kNoSpace)) {
    model_.restore(before);
    return {};
  }
  synced_ = operation.kind == Kind::kSync;
  return expected == actual ? std::string() : unlike(expected, actual);
}

std::string Session::scan_on(const Operation& operation) {
  bool at_end = false;
  (void)model_.run(operation, machine_.clock().now());
  const auto names = runner_->scan_on(operation.value, operation.length, at_end);
  if (!names.ok()) return "the directory cannot be read: " + names.error().to_string();
  return model_.scanned(operation.value, *names, at_end);
}

std::string Session::commit() {
  const Status done = machine_.volume().commit();
  const bool struck = machine_.faults().take_struck();
  if (!done.ok()) return struck ? std::string() : "commit: " + done.error().to_string();
  model_.remember();
  moments_.push_back(machine_.volume().committed());
  return {};
}

std::string Session::snapshot(uint64_t number) {
  fs::Volume& volume = machine_.volume();
  const size_t known = moments_.size();
  if (std::string wrong = commit(); !wrong.empty() || moments_.size() == known) return wrong;
  const std::string name = "snapshot-" + std::to_string(number);
  const Sequence sequence = moments_.back();
  volume.put_volume_row(wire::snapshot_key(name),
                        wire::encode(wire::SnapshotRow{sequence, machine_.clock().now()}));
  const Status done = volume.commit();
  const bool struck = machine_.faults().take_struck();
  if (!done.ok()) return struck ? std::string() : "commit: " + done.error().to_string();
  snapshots_[name] = sequence;
  return {};
}

std::string Session::upkeep(const Operation& operation) {
  if (operation.kind == Kind::kPrune) return prune(operation.value);
  keeper::Keeper& keeper = machine_.keeper();
  Status done;
  if (operation.kind == Kind::kTick) {
    done = keeper.tick();
  } else if (auto compacted = keeper.compact(); !compacted.ok()) {
    done = compacted.error();
  }
  const bool struck = machine_.faults().take_struck();
  if (done.ok() || done.code() == Code::kBusy || struck) return {};
  return "upkeep: " + done.error().to_string();
}

std::set<uint64_t> Session::snapshot_sequences() const {
  std::set<uint64_t> sequences;
  for (const auto& [name, sequence] : snapshots_) sequences.insert(sequence.value);
  return sequences;
}

std::string Session::prune(size_t moment) {
  if (moment >= moments_.size()) return {};
  const auto pruned = machine_.keeper().prune(moments_[moment]);
  const bool struck = machine_.faults().take_struck();
  if (!pruned.ok() && pruned.code() != Code::kBusy && !struck) {
    return "prune: " + pruned.error().to_string();
  }
  const Sequence floor = machine_.volume().state().floor;
  if (pruned.ok() && floor < moments_[moment]) return "pruning left the floor below";
  const std::set<uint64_t> kept = snapshot_sequences();
  for (size_t i = 0; i < moments_.size(); ++i) {
    if (moments_[i] < floor && !kept.contains(moments_[i].value)) model_.lose_moment(i);
  }
  cuts_.prune(floor, kept);
  pruned_ = true;
  return {};
}

std::string Session::statfs() {
  const auto space = machine_.tree().space();
  if (!space.ok()) return "statfs: " + space.error().to_string();
  if (space->available_blocks > space->free_blocks || space->free_blocks > space->blocks ||
      space->blocks == 0) {
    return fmt::format("statfs: {} blocks, {} free, {} available", space->blocks,
                       space->free_blocks, space->available_blocks);
  }
  const uint64_t inodes = space->inodes - space->free_inodes;
  if (inodes != model_.state().node_count()) {
    return unlike(fmt::format("{} inodes", model_.state().node_count()), std::to_string(inodes));
  }
  return {};
}

std::string Session::reopen() {
  runner_.reset();
  if (const size_t held = machine_.volume().references().size(); held != 0) {
    return fmt::format("{} inodes are still referred to when everything was forgotten", held);
  }
  Status closed = machine_.close();
  for (int i = 0; !closed.ok() && machine_.faults().take_struck() && i < kCloseAttempts; ++i) {
    closed = machine_.close();
  }
  if (!closed.ok()) return "close: " + closed.error().to_string();
  const Status opened = open();
  if (!opened.ok()) return "open: " + opened.error().to_string();
  model_.reopen(model_.state());
  return check(rules_.aspects);
}

std::string Session::abandon() {
  machine_.faults().arm(0);
  runner_.reset();
  machine_.abandon();
  const Status opened = open();
  if (!opened.ok()) return "open after the end: " + opened.error().to_string();
  if (std::string wrong = machine_.verify(); !wrong.empty()) return wrong;
  const Sequence recovered = machine_.volume().committed();
  if (recovered < cuts_.committed()) {
    return fmt::format("commit {} was acknowledged; the volume is as of {}",
                       cuts_.committed().value, recovered.value);
  }
  const Dump found = runner_->dump(rules_.aspects);
  std::string wrong;
  const std::vector<State> candidates = cuts_.recover(recovered);
  for (auto state = candidates.rbegin(); state != candidates.rend(); ++state) {
    wrong = difference(dump_of(*state, rules_.aspects), found);
    if (!wrong.empty()) continue;
    cuts_.settle(recovered, *state);
    model_.reopen(*state);
    std::erase_if(numbers_, [&](const auto& known) { return known.first >= state->next(); });
    return {};
  }
  return fmt::format("as of commit {} the volume is like none of {} possible states:\n{}",
                     recovered.value, candidates.size(), wrong);
}

std::string Session::finish() {
  machine_.faults().arm(0);
  machine_.arm_power_cut(0);
  std::string wrong = check(rules_.aspects);
  const State before = model_.state();
  if (wrong.empty()) wrong = commit();
  if (!wrong.empty()) return wrong;
  cuts_.note(machine_.volume().committed(), before, model_.state());
  Aspects settled = rules_.aspects;
  settled.allocated = true;
  wrong = check(settled);
  for (size_t i = 0; wrong.empty() && i < moments_.size(); ++i) wrong = check_moment(i);
  if (wrong.empty()) wrong = check_cuts();
  if (wrong.empty()) wrong = check_snapshots();
  if (wrong.empty()) wrong = check_history();
  if (wrong.empty()) wrong = reopen();
  for (size_t i = 0; wrong.empty() && i < moments_.size(); ++i) wrong = check_moment(i);
  if (wrong.empty()) wrong = machine_.verify();
  runner_.reset();
  return wrong;
}

}  // namespace nacre::model
