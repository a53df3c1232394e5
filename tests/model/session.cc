#include "model/session.h"

#include <fmt/format.h>

#include <set>

#include "keeper/retention.h"
#include "meta/lookup.h"
#include "meta/past_rows.h"
#include "wire/rows.h"

namespace nacre::model {

namespace {

constexpr int64_t kStepNs = 1'000'000;
constexpr int64_t kTickNs = 40'000'000'000;  // what waits for its time is due then
constexpr int kCloseAttempts = 8;            // faults may strike

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
  synced_ = false;
  const State before = model_.state();
  std::string wrong = perform(operation);
  (void)machine_.faults().take_struck();
  if (machine_.is_down()) {
    // What was being done may have been committed, or not; its answer says nothing.
    const bool is_open = machine_.is_open();
    cuts_.note(is_open ? machine_.volume().committed() : cuts_.committed(), before, model_.state());
    return abandon();
  }
  if (!wrong.empty()) return wrong;
  if (operation.kind == Kind::kAbandon) return {};
  cuts_.note(machine_.volume().committed(), before, model_.state());
  follow_floor();
  return synced_ ? check_synced(operation) : std::string();
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
      machine_.faults().arm(operation.value, operation.extra == 0 ? Code::kNoSpace : Code::kIo);
      return {};
    case Kind::kPowerCut:
      machine_.arm_power_cut(operation.value);
      next_cut_ = operation.extra;
      return {};
    case Kind::kTick:
    case Kind::kCompact:
    case Kind::kClean:
    case Kind::kPrune:
    case Kind::kUnpin:
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

// Whether there is a reason for upkeep to fail in this way. A commit has none on a full disk: what
// it needs was promised.
bool Session::may_fail(Code code) {
  if (machine_.faults().take_struck()) return true;
  return code == Code::kBusy || (code == Code::kNoSpace && machine_.may_be_full());
}

std::string Session::compare(const Operation& operation) {
  const State before = model_.state();
  const std::string expected = model_.run(operation, machine_.clock().now());
  const std::string actual =
      operation.kind == Kind::kRestore ? restore(operation) : runner_->run(operation);
  const auto struck = machine_.faults().take_struck();
  const bool failed = struck && actual == answer_of(*struck);
  if (failed || (machine_.may_be_full() && actual == answer_of(Code::kNoSpace))) {
    model_.take_back(before);
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
  if (!done.ok()) {
    return machine_.faults().take_struck() ? std::string() : "commit: " + done.error().to_string();
  }
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
  if (!done.ok()) {
    return machine_.faults().take_struck() ? std::string() : "commit: " + done.error().to_string();
  }
  snapshots_[name] = sequence;
  return {};
}

// The inode is found as restoring finds it: below the tree, by its number of then.
std::string Session::restore(const Operation& operation) {
  fs::Volume& volume = machine_.volume();
  const auto done = [&]() -> Status {
    const ParsedPath path = parse_path(operation.path);
    const Sequence at = moments_[path.number % moments_.size()];
    const meta::PastRows past(volume.rows(), at);
    InodeId from = kRootInode;
    for (const std::string& name : path.names) {
      const auto dentry = TRY(meta::find_dentry(past, volume.settings().name_key, from, name));
      if (!dentry) return Code::kNotFound;
      from = dentry->row.ino;
    }
    return volume.restore_content(from, at, TRY(runner_->inode_of(operation.to)));
  }();
  return done.ok() ? "ok" : answer_of(done.code());
}

std::string Session::upkeep(const Operation& operation) {
  if (operation.kind == Kind::kPrune) return prune(operation.value);
  if (operation.kind == Kind::kUnpin) return unpin(operation.value);
  const Status done = do_duty(operation.kind);
  return done.ok() || may_fail(done.code()) ? std::string() : "upkeep: " + done.error().to_string();
}

Status Session::do_duty(Kind kind) {
  switch (kind) {
    case Kind::kTick:
      machine_.clock().advance(kTickNs);
      return machine_.keeper().tick();
    case Kind::kCompact:
      TRY(machine_.keeper().compact());
      return {};
    default:
      TRY(machine_.volume().blocks().clean(machine_.volume().blocks().space().used_bytes));
      return {};
  }
}

std::string Session::prune(size_t moment) {
  if (moment >= moments_.size()) return {};
  const auto pruned = machine_.keeper().prune(moments_[moment]);
  if (!pruned.ok()) {
    return may_fail(pruned.code()) ? std::string() : "prune: " + pruned.error().to_string();
  }
  const bool low = machine_.volume().state().floor < moments_[moment];
  return low ? "pruning left the floor below" : std::string();
}

std::string Session::unpin(uint64_t number) {
  const std::string name = "snapshot-" + std::to_string(number);
  const bool known = snapshots_.erase(name) != 0;
  const Status done = keeper::delete_snapshot(machine_.volume(), name);
  const bool expected = done.ok() || (done.code() == Code::kNotFound && !known);
  if (!expected && !may_fail(done.code())) {
    return "deleting a snapshot: " + done.error().to_string();
  }
  pruned_ = true;
  return machine_.is_down() ? std::string() : find_snapshots();
}

// What lies below the floor cannot be read any more, but for snapshots.
void Session::follow_floor() {
  const Sequence floor = machine_.volume().state().floor;
  pruned_ = pruned_ || floor != floor_;
  floor_ = floor;
  std::set<uint64_t> kept;
  for (const auto& [name, sequence] : snapshots_) kept.insert(sequence.value);
  for (size_t i = 0; i < moments_.size(); ++i) {
    if (moments_[i] < floor && !kept.contains(moments_[i].value)) model_.lose_moment(i);
  }
  cuts_.prune(floor, kept);
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

Status Session::open_after_cut() {
  machine_.arm_power_cut(std::exchange(next_cut_, 0));
  Status opened = open();
  if (machine_.is_down()) {
    runner_.reset();
    machine_.abandon();
    opened = open();
  }
  machine_.arm_power_cut(0);
  return opened;
}

std::string Session::abandon() {
  machine_.faults().arm(0);
  runner_.reset();
  machine_.abandon();
  const Status opened = open_after_cut();
  if (!opened.ok()) return "open after the end: " + opened.error().to_string();
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
    wrong = find_snapshots();
    follow_floor();
    if (!wrong.empty()) return wrong;
    // The check commits that nodes without names are gone.
    wrong = machine_.verify();
    cuts_.note(machine_.volume().committed(), *state, model_.state());
    return wrong;
  }
  return fmt::format("as of commit {} the volume is like none of {} possible states:\n{}",
                     recovered.value, candidates.size(), wrong);
}

std::string Session::finish() {
  machine_.faults().arm(0);
  machine_.arm_power_cut(0);
  // It may have gone since the last operation.
  std::string wrong = machine_.is_down() ? abandon() : std::string();
  if (wrong.empty()) wrong = check(rules_.aspects);
  const State before = model_.state();
  if (wrong.empty()) wrong = commit();
  if (!wrong.empty()) return wrong;
  cuts_.note(machine_.volume().committed(), before, model_.state());
  Aspects settled = rules_.aspects;
  settled.allocated = true;
  wrong = check(settled);
  for (size_t i = 0; wrong.empty() && i < moments_.size(); ++i) wrong = check_moment(i);
  if (wrong.empty()) wrong = check_cuts();
  if (wrong.empty()) wrong = find_snapshots();
  if (wrong.empty()) wrong = check_history();
  if (wrong.empty()) wrong = reopen();
  for (size_t i = 0; wrong.empty() && i < moments_.size(); ++i) wrong = check_moment(i);
  if (wrong.empty()) wrong = machine_.verify();
  runner_.reset();
  return wrong;
}

}  // namespace nacre::model
