#include "model/generator.h"

#include <algorithm>

namespace nacre::model {

namespace {

constexpr uint64_t kExplicitTimeNs = 1'000'000'000'123'456'789;  // long before the tests' own time

const std::vector<std::string>& names() {
  static const std::vector<std::string> kAll = {"a",
                                                "b",
                                                "c",
                                                "d",
                                                "a",
                                                "b",
                                                "c",
                                                "e",
                                                "f",
                                                "g",
                                                ".h",
                                                "with space",
                                                "%",
                                                "...",
                                                "\xC3\xBC\xFF\x01",
                                                std::string(255, 'n'),
                                                std::string(254, 'n') + "m"};
  return kAll;
}

}  // namespace

Generator::Generator(const Profile& profile, const Rules& rules, uint64_t seed)
    : profile_(profile), random_(seed), model_(rules) {}

Script Generator::generate(size_t steps) {
  Script script;
  while (script.size() < steps) {
    Operation operation = next();
    if (!model_.applies(operation)) continue;
    run(operation);
    script.push_back(std::move(operation));
  }
  return script;
}

void Generator::run(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kCommit:
    case Kind::kSnapshot:
      model_.remember();
      break;
    case Kind::kReopen:
      model_.reopen(model_.state());
      break;
    case Kind::kPrune:
      for (size_t i = 0; i < operation.value && i < model_.moments().size(); ++i) {
        model_.lose_moment(i);
      }
      break;
    case Kind::kAbandon:
      // A guess: more may have been committed.
      model_.reopen(last_moment());
      break;
    case Kind::kScanOn:
      (void)model_.scanned(operation.value, {}, operation.length == 0);
      break;
    default:
      (void)model_.run(operation, Timestamp{++now_});
  }
}

State Generator::last_moment() const {
  const auto& moments = model_.moments();
  return moments.empty() || !moments.back() ? State() : *moments.back();
}

Operation Generator::make(Kind kind, std::string path) const {
  Operation operation;
  operation.kind = kind;
  operation.path = std::move(path);
  return operation;
}

void Generator::collect(const State& state, NodeId directory, const std::string& path,
                        std::vector<Known>& known) const {
  for (const auto& [entry_name, node] : state.at(directory).entries) {
    const std::string entry_path = path + "/" + entry_name;
    known.push_back({entry_path, node});
    if (state.at(node).is_directory()) collect(state, node, entry_path, known);
  }
}

std::string Generator::name() { return any_of(names()); }

std::string Generator::directory() {
  std::vector<std::string> found = {"", "", ""};
  std::vector<Known> known;
  collect(model_.state(), kRoot, "", known);
  for (const Known& one : known) {
    const bool deep = std::count(one.path.begin(), one.path.end(), '/') > 4;
    if (model_.state().at(one.node).is_directory() && !deep) found.push_back(one.path);
  }
  for (size_t i = 0; i < kSlots; ++i) {
    const auto held = model_.slot(i);
    if (held && model_.state().at(*held).is_directory()) found.push_back("@" + std::to_string(i));
  }
  return any_of(found);
}

std::string Generator::new_entry() {
  for (int attempt = 0; attempt < 4; ++attempt) {
    std::string path = directory() + "/" + name();
    if (!model_.find(path).ok()) return path;
  }
  return directory() + "/" + (chance(3) ? std::string(256, 'x') : name());
}

std::string Generator::entry() {
  std::vector<Known> known;
  collect(model_.state(), kRoot, "", known);
  if (known.empty() || chance(8)) return directory() + "/" + name();
  return any_of(known).path;
}

std::string Generator::existing(bool want_regular) {
  std::vector<std::string> wanted;
  std::vector<std::string> others = {"/"};
  const auto add = [&](const std::string& path, NodeId node) {
    const bool fits = !want_regular || model_.state().at(node).is_regular();
    (fits ? wanted : others).push_back(path);
  };
  std::vector<Known> known;
  collect(model_.state(), kRoot, "", known);
  for (const Known& one : known) add(one.path, one.node);
  for (size_t i = 0; i < kSlots; ++i) {
    if (const auto held = model_.slot(i)) add("@" + std::to_string(i), *held);
  }
  if (wanted.empty() || chance(3)) return any_of(others);
  return any_of(wanted);
}

std::string Generator::past_path(bool want_regular) {
  const size_t moment = below(model_.moments().size());
  const std::string root = "~" + std::to_string(moment);
  if (!model_.moments()[moment]) return root + "/" + name();
  const State& state = *model_.moments()[moment];
  std::vector<Known> known;
  collect(state, kRoot, "", known);
  std::erase_if(known,
                [&](const Known& one) { return want_regular && !state.at(one.node).is_regular(); });
  return known.empty() ? root + "/" + name() : root + any_of(known).path;
}

uint64_t Generator::size_of(const std::string& path) const {
  const auto node = model_.readable(path);
  return node.ok() ? (*node)->size() : 0;
}

uint64_t Generator::offset(const std::string& path) {
  const uint64_t size = std::min(size_of(path), profile_.largest_file);
  const uint64_t blocks = profile_.largest_file / profile_.block_bytes;
  switch (below(11)) {
    case 10:
      return size - std::min(size, below(9));
    case 0:
      return 0;
    case 1:
    case 2:
      return size;
    case 3:
    case 4:
      return below(size + 1);
    case 5:
    case 6:
      return below(blocks) * profile_.block_bytes;
    case 7: {
      const uint64_t boundary = (below(blocks) + 1) * profile_.block_bytes;
      return boundary - 8 + below(16);
    }
    case 8:
      return below(64) * kPageBytes;
    default:
      if (profile_.farthest == 0 || chance(60)) return below(profile_.largest_file);
      return profile_.farthest >> below(20);
  }
}

uint64_t Generator::length() {
  switch (below(8)) {
    case 0:
      return 1 + below(16);
    case 1:
    case 2:
      return 1 + below(5000);
    case 3:
      return kPageBytes;
    case 4:
      return std::min(profile_.block_bytes, profile_.largest_write);
    default:
      return 1 + below(profile_.largest_write);
  }
}

Operation Generator::name_operation() {
  const bool full = model_.state().node_count() >= profile_.most_nodes;
  const uint64_t choice = full ? 60 + below(40) : below(100);
  if (choice < 30) {
    Operation operation = make(Kind::kCreate, new_entry());
    operation.value = any_of<uint64_t>({0644, 0600, 0755, 0666, 06755, 02644});
    return operation;
  }
  if (choice < 42) {
    Operation operation = make(Kind::kMkdir, new_entry());
    operation.value = any_of<uint64_t>({0755, 0777, 01777});
    return operation;
  }
  if (choice < 48) {
    Operation operation = make(Kind::kSymlink, new_entry());
    operation.to = chance(20) ? std::string(1 + below(4000), 't') : entry();
    return operation;
  }
  if (choice < 51) {
    Operation operation = make(Kind::kMknod, new_entry());
    operation.value = 0640;
    operation.extra = 4 + below(4);
    return operation;
  }
  if (choice < 60) {
    Operation operation = make(Kind::kLink, existing(chance(90)));
    operation.to = chance(85) ? new_entry() : entry();
    return operation;
  }
  if (choice < 72) return make(Kind::kUnlink, chance(80) ? existing(true) : entry());
  if (choice < 78) return make(Kind::kRmdir, chance(80) ? directory() : entry());
  const Kind kinds[] = {Kind::kRename, Kind::kRename, Kind::kRenameNew, Kind::kExchange};
  Operation operation = make(kinds[below(4)], chance(25) ? directory() : entry());
  operation.to = chance(40) ? new_entry() : chance(25) ? directory() : entry();
  return operation;
}

// Again and again the same file, for what one operation leaves behind another stumbles over.
std::string Generator::file() {
  if (last_file_.empty() || !model_.find(last_file_).ok() || chance(40)) {
    last_file_ = existing(true);
  }
  return last_file_;
}

Operation Generator::content_operation() {
  const bool from_past = profile_.past && !model_.moments().empty();
  const uint64_t choice = below(100);
  Operation operation;
  if (choice < 40) {
    const Kind kinds[] = {Kind::kWrite,       Kind::kWrite,        Kind::kWrite,
                          Kind::kWriteCached, Kind::kWriteKilling, Kind::kWrite};
    operation = make(kinds[below(6)], file());
    if (profile_.volume && !profile_.faults && chance(3)) operation.kind = Kind::kWriteDurable;
    operation.value = chance(8) ? 0 : 1 + below(profile_.fills);
  } else if (choice < 55) {
    operation = make(Kind::kRead, from_past && chance(20) ? past_path(true) : file());
  } else if (choice < 64) {
    operation = make(Kind::kTruncate, file());
    operation.length = offset(operation.path);
    return operation;
  } else if (choice < 80) {
    const Kind kinds[] = {Kind::kAllocate, Kind::kAllocateKeep, Kind::kPunch,
                          Kind::kPunch,    Kind::kZero,         Kind::kZeroKeep};
    operation = make(kinds[below(6)], file());
  } else if (choice < 86) {
    operation = make(chance(50) ? Kind::kSeekData : Kind::kSeekHole,
                     from_past && chance(20) ? past_path(true) : file());
  } else if (choice < 89 && from_past) {
    operation = make(Kind::kRestore, past_path(true));
    operation.to = file();
    return operation;
  } else {
    operation = make(Kind::kCopy, from_past && chance(30) ? past_path(true) : file());
    operation.to = chance(25) && operation.path[0] != '~' ? operation.path : file();
    operation.extra = offset(operation.to);
  }
  operation.offset = offset(operation.path);
  operation.length = length();
  if (chance(2)) operation.length = 0;
  return operation;
}

Operation Generator::attribute_operation() {
  const bool from_past = profile_.past && !model_.moments().empty() && chance(15);
  Operation operation = make(Kind::kStat, from_past ? past_path(false) : existing(false));
  const auto node = model_.readable(operation.path);
  const bool takes_user = node.ok() && ((*node)->is_regular() || (*node)->is_directory());
  switch (below(from_past ? 4 : 11)) {
    case 0:
      break;
    case 1:
      operation.kind = Kind::kReadlink;
      break;
    case 2:
      operation.kind = Kind::kListXattrs;
      break;
    case 3:
      operation.kind = Kind::kGetXattr;
      break;
    case 4:
      operation.kind = Kind::kChmod;
      operation.value = any_of<uint64_t>({0644, 0600, 04755, 02755, 02644, 01777, 0});
      break;
    case 5:
      operation.kind = Kind::kChown;
      operation.value = below(3) * 1000;
      operation.extra = below(3) * 1000;
      break;
    case 6:
      operation.kind = Kind::kUtimes;
      operation.value = any_of<uint64_t>({0, 1, kExplicitTimeNs + below(1000)});
      operation.extra = any_of<uint64_t>({1, kExplicitTimeNs + below(1000)});
      break;
    case 7:
      operation.kind = Kind::kRemoveXattr;
      break;
    case 8:
      operation.kind = Kind::kCreateXattr;
      break;
    case 9:
      operation.kind = Kind::kReplaceXattr;
      break;
    default:
      operation.kind = Kind::kSetXattr;
  }
  if (operation.kind >= Kind::kSetXattr && operation.kind <= Kind::kRemoveXattr) {
    operation.to =
        takes_user ? any_of<std::string>({"user.a", "user.b", "trusted.c"}) : "trusted.c";
    if (operation.kind <= Kind::kReplaceXattr) {
      operation.value = 1 + below(250);
      operation.length = below(chance(80) ? 100 : profile_.largest_xattr + 1);
    }
  }
  return operation;
}

Operation Generator::directory_operation() {
  Operation operation;
  switch (below(9)) {
    case 0:
    case 1:
    case 2:
      operation = make(Kind::kHold, existing(chance(70)));
      break;
    case 3:
      operation = make(Kind::kRelease);
      break;
    case 4:
      operation = make(Kind::kScan, chance(40) ? "/" : existing(false));
      break;
    case 5:
    case 6:
      operation = make(Kind::kScanOn);
      operation.length = below(4);
      break;
    default:
      operation = make(Kind::kList, profile_.past && !model_.moments().empty() && chance(15)
                                        ? past_path(false)
                                        : directory());
      if (operation.path.empty()) operation.path = "/";
      operation.length = 1 + below(6);
      return operation;
  }
  operation.value = below(kSlots);
  if (operation.kind == Kind::kRelease || operation.kind == Kind::kScanOn) operation.path.clear();
  return operation;
}

Operation Generator::next() {
  if (!habit_.empty()) {
    Operation operation = habit_.front();
    habit_.pop_front();
    return operation;
  }
  if (chance(profile_.checks)) return make(Kind::kCheck, "");
  if (profile_.power && chance(6)) {
    if (chance(50)) habit_.push_back(upkeep_operation());
    return power_cut();
  }
  if (chance(profile_.habits)) return habit();
  const uint64_t choice = below(100);
  if (model_.state().node_count() < 4 || choice < 25) return name_operation();
  if (choice < 68) return content_operation();
  if (choice < 80) return attribute_operation();
  if (choice < 90) return directory_operation();
  return volume_operation();
}

}  // namespace nacre::model
