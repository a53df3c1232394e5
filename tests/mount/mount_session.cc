#include "mount_session.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace nacre::mount_test {

namespace {

using model::Kind;
using model::Operation;

// The oracle's time begins after all that scripts set on purpose.
constexpr int64_t kStartNs = 1'700'000'000'000'000'000;

std::string unlike(const std::string& expected, const std::string& actual) {
  return fmt::format("expected {}\nfound    {}", expected, actual);
}

std::string told(const std::string& what, const Status& status) {
  return status.ok() ? std::string() : what + ": " + status.error().to_string();
}

}  // namespace

Setting setting_of(const std::string& directory, MountedVolume* volume, bool alone,
                   bool writes_cached) {
  Setting setting{directory, volume, alone, {}, {}};
  setting.rules.kernel = true;
  model::Aspects& aspects = setting.rules.aspects;
  aspects.times = false;  // the machine's clock sets them; those set on purpose are compared
  aspects.atime = false;  // what is read from the kernel's cache the daemon does not hear of
  aspects.directory_sizes = volume != nullptr;
  aspects.ranges = volume != nullptr && !writes_cached;  // the cache sends whole pages
  setting.rules.copy_kills_privileges = volume != nullptr;
  setting.profile.block_bytes = 64 * kKiB;
  setting.profile.largest_write = 96 * kKiB;
  if (volume == nullptr) setting.profile.farthest = 0;  // others end earlier
  setting.profile.volume = volume != nullptr;
  setting.profile.past = volume != nullptr;
  setting.profile.abandon = false;  // see reopen()
  setting.profile.prune = alone;
  return setting;
}

MountSession::MountSession(const Setting& setting)
    : setting_(setting), model_(setting.rules, Timestamp{kStartNs}), now_(kStartNs) {}

std::string MountSession::play(const model::Script& script) {
  std::string wrong = begin();
  for (size_t i = 0; i < script.size() && wrong.empty(); ++i) {
    wrong = step(script[i]);
    if (!wrong.empty()) {
      wrong = fmt::format("at operation {}: {}\n{}\n", i, model::to_string(script[i]), wrong);
    }
  }
  if (wrong.empty()) {
    wrong = finish();
    if (!wrong.empty()) wrong = "at the end: " + wrong + "\n";
  }
  runner_.reset();
  return wrong;
}

std::string MountSession::begin() {
  root_ = setting_.directory + "/run-XXXXXX";
  if (::mkdtemp(root_.data()) == nullptr || ::chmod(root_.c_str(), 0755) != 0) {
    return fmt::format("cannot make a directory in {}: {}", setting_.directory,
                       std::strerror(errno));
  }
  name_ = root_.substr(setting_.directory.size() + 1);
  make_runner();
  return {};
}

void MountSession::make_runner() {
  runner_ = std::make_unique<DirectoryRunner>(root_, moments_, setting_.rules.aspects);
}

std::string MountSession::snapshot_name(uint64_t number) const {
  return fmt::format("{}-{}", name_, number);
}

std::string MountSession::step(const Operation& operation) {
  if (!model_.applies(operation)) return {};
  switch (operation.kind) {
    case Kind::kCommit:
      return commit();
    case Kind::kSnapshot:
      return commit(snapshot_name(operation.value));
    case Kind::kUnpin:
      return unpin(snapshot_name(operation.value));
    case Kind::kPrune:
      return prune(operation.value);
    case Kind::kCompact:
      return setting_.volume == nullptr ? "" : told("compact", setting_.volume->compact());
    case Kind::kReopen:
      return reopen();
    case Kind::kScanOn:
      return scan_on(operation);
    case Kind::kCheck: {
      std::string wrong = check();
      if (wrong.empty() && !moments_.empty()) {
        wrong = check_moment(static_cast<size_t>(now_) % moments_.size());
      }
      return wrong;
    }
    case Kind::kTick:  // the daemon keeps house by itself
      return evict();
    case Kind::kClean:
    case Kind::kStatfs:
    case Kind::kAbandon:
    case Kind::kFault:
    case Kind::kPowerCut:
      return {};
    default:
      return compare(operation);
  }
}

std::string MountSession::compare(const Operation& operation) {
  const std::string expected = model_.run(operation, now());
  const std::string actual = runner_->run(operation);
  return expected == actual ? std::string() : unlike(expected, actual);
}

std::string MountSession::scan_on(const Operation& operation) {
  bool at_end = false;
  (void)model_.run(operation, now());
  const auto names = runner_->scan_on(operation.value, operation.length, at_end);
  if (!names.ok()) return "the directory cannot be read: " + names.error().to_string();
  return model_.scanned(operation.value, *names, at_end);
}

std::string MountSession::evict() {
  return setting_.evicts ? told("evict", setting_.volume->evict(name_)) : "";
}

std::string MountSession::commit(const std::string& snapshot) {
  if (setting_.volume == nullptr) return {};
  const auto sequence =
      snapshot.empty() ? setting_.volume->flush() : setting_.volume->make_snapshot(snapshot);
  if (!sequence.ok()) return "commit: " + sequence.error().to_string();
  if (!sequences_.empty() && *sequence < sequences_.back()) return "commits go backwards";
  if (!snapshot.empty()) snapshots_[snapshot] = *sequence;
  model_.remember();
  sequences_.push_back(*sequence);
  moments_.push_back(fmt::format("{}/.nacre/at/{}/{}", setting_.directory, sequence->value, name_));
  return {};
}

std::string MountSession::unpin(const std::string& snapshot) {
  if (setting_.volume == nullptr) return {};
  const bool known = snapshots_.erase(snapshot) != 0;
  const Status done = setting_.volume->delete_snapshot(snapshot);
  if (done.ok() != known || (!known && done.code() != Code::kNotFound)) {
    return fmt::format("deleting snapshot {}, which {}: {}", snapshot, known ? "is" : "is not",
                       done.ok() ? "done" : done.error().to_string());
  }
  follow_floor();
  return {};
}

std::string MountSession::prune(size_t moment) {
  if (setting_.volume == nullptr || moment >= sequences_.size()) return {};
  if (sequences_[moment] < floor_) return {};  // no moment any more
  const auto floor = setting_.volume->prune(sequences_[moment]);
  if (!floor.ok()) return "prune: " + floor.error().to_string();
  if (*floor < sequences_[moment]) return "pruning left the floor below";
  floor_ = *floor;
  follow_floor();
  return {};
}

// What lies below the floor cannot be read any more, but for snapshots.
void MountSession::follow_floor() {
  for (size_t i = 0; i < sequences_.size(); ++i) {
    bool is_kept = sequences_[i] >= floor_;
    for (const auto& [name, sequence] : snapshots_) is_kept |= sequence == sequences_[i];
    if (!is_kept) model_.lose_moment(i);
  }
}

// Handles do not outlive it. What was flushed outlives the daemon, however that ends.
std::string MountSession::reopen() {
  const bool remounts = setting_.volume != nullptr && setting_.alone;
  if (remounts && ++reopens_ % 2 == 0) {
    const auto flushed = setting_.volume->flush();
    if (!flushed.ok()) return "flush: " + flushed.error().to_string();
    const Status killed = setting_.volume->kill();
    if (!killed.ok()) return told("kill", killed);
  }
  runner_.reset();
  if (remounts) {
    const Status done = setting_.volume->remount();
    if (!done.ok()) return told("remount", done);
  }
  make_runner();
  model_.reopen(model_.state());
  return check();
}

// An inode keeps its number for life, whatever happens to its names.
std::string MountSession::check() {
  if (const std::string wrong = evict(); !wrong.empty()) return wrong;
  model::Inodes inodes;
  const model::Dump found = runner_->dump(setting_.rules.aspects, &inodes);
  const std::string wrong = model::difference(dump_of(model_, setting_.rules.aspects), found);
  if (!wrong.empty()) return "the tree differs:\n" + wrong;
  for (const auto& [path, ino] : inodes) {
    const auto node = model_.find(path);
    if (!node.ok()) return "the oracle does not know " + path;
    const InodeId known = numbers_.try_emplace(*node, ino).first->second;
    if (known == ino) continue;
    return fmt::format("{} was inode {} and is inode {}", path, known.value, ino.value);
  }
  return {};
}

std::string MountSession::check_moment(size_t moment) {
  if (!model_.moments()[moment]) return {};
  const model::Aspects& aspects = setting_.rules.aspects;
  const model::Dump found = runner_->dump_past(moment, aspects);
  const std::string wrong = model::difference(dump_of(*model_.moments()[moment], aspects), found);
  if (wrong.empty()) return {};
  return fmt::format("as of commit {} the tree differs:\n{}", sequences_[moment].value, wrong);
}

std::string MountSession::finish() {
  std::string wrong = check();
  if (wrong.empty()) wrong = commit();
  if (wrong.empty()) wrong = check();
  for (size_t i = 0; wrong.empty() && i < moments_.size(); ++i) wrong = check_moment(i);
  return wrong;
}

}  // namespace nacre::mount_test
