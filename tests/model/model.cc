// What the families of operations share: paths, handles, and readers of directories.
#include "model/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/errno.h"
#include "codec/checksum.h"

namespace nacre::model {

namespace {

// Operations on an entry, not on a node.
bool names_entry(Kind kind) {
  switch (kind) {
    case Kind::kCreate:
    case Kind::kMkdir:
    case Kind::kSymlink:
    case Kind::kMknod:
    case Kind::kUnlink:
    case Kind::kRmdir:
    case Kind::kRename:
    case Kind::kRenameNew:
    case Kind::kExchange:
      return true;
    default:
      return false;
  }
}

bool has_second_path(Kind kind) {
  return kind == Kind::kLink || kind == Kind::kRename || kind == Kind::kRenameNew ||
         kind == Kind::kExchange || kind == Kind::kRestore || kind == Kind::kCopy;
}

bool is_content(Kind kind) { return kind >= Kind::kWrite && kind <= Kind::kCopy; }

}  // namespace

ParsedPath parse_path(const std::string& path) {
  ParsedPath parsed;
  if (path.empty()) return parsed;
  parsed.root = path[0];
  size_t at = 1;
  if (parsed.root != '/') {
    while (at < path.size() && path[at] >= '0' && path[at] <= '9') {
      parsed.number = parsed.number * 10 + static_cast<size_t>(path[at++] - '0');
    }
  }
  while (at < path.size()) {
    if (path[at] == '/') ++at;
    const size_t end = std::min(path.find('/', at), path.size());
    if (end > at) parsed.names.push_back(path.substr(at, end - at));
    at = end;
  }
  return parsed;
}

std::string answer_of_errno(int error_number) { return strerrorname_np(error_number); }
std::string answer_of(Code code) { return answer_of_errno(errno_of(code)); }

std::string answer_of_bytes(std::string_view bytes) {
  return fmt::format("{} bytes {:016x}", bytes.size(), codec::xxh64(as_bytes(bytes)));
}

std::string answer_of_entries(const std::map<std::string, meta::FileType>& entries) {
  std::string text;
  for (const auto& [name, type] : entries) {
    text += fmt::format("{}:{} ", name, static_cast<int>(type));
  }
  return text;
}

Model::Model(const Rules& rules, Timestamp start) : rules_(rules) {
  Node& root = state_.change(kRoot);
  root.atime = root.mtime = root.ctime = start;
}

bool Model::slots_exist(const std::string& path) const {
  const ParsedPath parsed = parse_path(path);
  if (parsed.root == '@') return slot(parsed.number).has_value();
  return parsed.root != '~' || !moments_.empty();
}

bool Model::applies(const Operation& operation) const {
  const bool two = has_second_path(operation.kind);
  if (!slots_exist(operation.path) || (two && !slots_exist(operation.to))) return false;
  const auto is_bare = [](const std::string& path) { return parse_path(path).names.empty(); };
  if (names_entry(operation.kind) && is_bare(operation.path)) return false;
  if (two && !is_content(operation.kind) && is_bare(operation.to)) return false;
  const size_t index = operation.value % kSlots;
  const bool can_be_held = operation.path.starts_with('/') ||
                           (operation.path.starts_with('@') && !is_bare(operation.path));
  switch (operation.kind) {
    case Kind::kHold:
      return !slots_[index] && can_be_held;
    case Kind::kRelease:
      return slots_[index].has_value();
    case Kind::kScan:
      return !scans_[index] && can_be_held;
    case Kind::kScanOn:
      return scans_[index].has_value();
    case Kind::kSync:
      return operation.path[0] != '~' && find(operation.path).ok();
    case Kind::kRestore: {
      const auto from = readable(operation.path);
      const auto to = changeable(operation.to);
      return operation.path[0] == '~' && from.ok() && (*from)->is_regular() && to.ok() &&
             state_.at(*to).is_regular() && !rules_.kernel;
    }
    default:
      return !rules_.kernel || applies_to_kernel(operation);
  }
}

// What system calls cannot ask, or answer as they please.
bool Model::applies_to_kernel(const Operation& operation) const {
  const auto is_regular = [&](const std::string& path) {
    const auto node = readable(path);
    return !node.ok() || (*node)->is_regular();
  };
  switch (operation.kind) {
    case Kind::kSeekData:
    case Kind::kSeekHole:
    case Kind::kWriteCached:
    case Kind::kWriteKilling:
    case Kind::kStatfs:
      return false;
    case Kind::kChmod: {
      const auto node = readable(operation.path);
      return !node.ok() || (*node)->type != meta::FileType::kSymlink;
    }
    case Kind::kSetXattr:
    case Kind::kCreateXattr:
    case Kind::kReplaceXattr:
    case Kind::kGetXattr:
    case Kind::kRemoveXattr: {
      const auto node = readable(operation.path);
      const bool takes_user = !node.ok() || (*node)->is_regular() || (*node)->is_directory();
      if (!takes_user && operation.to.starts_with("user.")) return false;
      break;
    }
    case Kind::kReadlink: {
      const auto node = readable(operation.path);
      return !node.ok() || (*node)->type == meta::FileType::kSymlink;
    }
    default:
      break;
  }
  if (operation.path.starts_with('~') && operation.kind != Kind::kRead &&
      operation.kind != Kind::kStat && operation.kind != Kind::kCopy) {
    return false;
  }
  if (!is_content(operation.kind)) return true;
  return is_regular(operation.path) && (operation.kind != Kind::kCopy || is_regular(operation.to));
}

std::string Model::run(const Operation& operation, Timestamp now) {
  now_ = now;
  ++operations_;
  Result<std::string> answer = std::string();
  if (operation.kind < Kind::kWrite) {
    answer = run_names(operation);
  } else if (is_content(operation.kind)) {
    answer = run_content(operation);
  } else if (operation.kind < Kind::kList) {
    answer = run_attributes(operation);
  } else if (operation.kind < Kind::kSync) {
    answer = run_handles(operation);
  }
  update_scans();
  if (!answer.ok()) return answer_of(answer.code());
  return answer->empty() ? "ok" : "ok " + *answer;
}

size_t Model::moment_of(const std::string& path) const {
  return parse_path(path).number % moments_.size();
}

Result<Model::Place> Model::resolve(const std::string& path) const {
  const ParsedPath parsed = parse_path(path);
  Place place;
  place.past = parsed.root == '~';
  place.state = &state_;
  if (place.past) {
    const std::optional<State>& moment = moments_[moment_of(path)];
    if (!moment) return Code::kNotFound;
    place.state = &*moment;
  }
  place.node = parsed.root == '@' ? slot(parsed.number) : kRoot;
  for (size_t i = 0; i < parsed.names.size(); ++i) {
    if (!place.node) return Code::kNotFound;
    const Node& directory = place.state->at(*place.node);
    if (!directory.is_directory()) return Code::kNotDirectory;
    place.parent = *place.node;
    place.name = parsed.names[i];
    // In a directory that was removed the kernel looks for nothing.
    const bool is_looked_for = !rules_.kernel || directory.nlink != 0;
    place.too_long = is_looked_for && place.name.size() > meta::kMaxNameBytes;
    if (place.too_long && i + 1 < parsed.names.size()) return Code::kNameTooLong;
    const auto entry = directory.entries.find(place.name);
    place.node.reset();
    if (entry != directory.entries.end()) place.node = entry->second;
  }
  return place;
}

Result<NodeId> Model::find(const std::string& path) const {
  const Place place = TRY(resolve(path));
  if (place.too_long) return Code::kNameTooLong;
  if (!place.node) return Code::kNotFound;
  return *place.node;
}

Result<const Node*> Model::readable(const std::string& path) const {
  const Place place = TRY(resolve(path));
  if (place.too_long) return Code::kNameTooLong;
  if (!place.node) return Code::kNotFound;
  return place.state->find(*place.node);
}

Result<NodeId> Model::changeable(const std::string& path) const {
  const Place place = TRY(resolve(path));
  if (place.too_long) return Code::kNameTooLong;
  if (!place.node) return Code::kNotFound;
  if (place.past) return Code::kReadOnly;
  return *place.node;
}

bool Model::is_held(NodeId node) const {
  const bool in_slot = std::any_of(slots_.begin(), slots_.end(),
                                   [&](const auto& held) { return held && *held == node; });
  return in_slot || std::any_of(scans_.begin(), scans_.end(),
                                [&](const auto& scan) { return scan && scan->directory == node; });
}

void Model::drop_if_unused(NodeId node) {
  if (state_.at(node).nlink == 0 && !is_held(node)) state_.erase(node);
}

void Model::reopen(State state) {
  slots_ = {};
  scans_ = {};
  state_ = std::move(state);
  state_.drop_orphans();
}

Result<std::string> Model::run_handles(const Operation& operation) {
  const size_t index = operation.value % kSlots;
  switch (operation.kind) {
    case Kind::kHold:
      slots_[index] = TRY(find(operation.path));
      return std::string();
    case Kind::kRelease: {
      const NodeId node = *slots_[index];
      slots_[index].reset();
      drop_if_unused(node);
      return std::string();
    }
    case Kind::kList: {
      const Node& node = *TRY(readable(operation.path));
      if (!node.is_directory()) return Code::kNotDirectory;
      std::map<std::string, meta::FileType> entries;
      const State& state = operation.path[0] == '~' ? *moments_[moment_of(operation.path)] : state_;
      for (const auto& [name, child] : node.entries) entries[name] = state.at(child).type;
      touch_atime(operation.path);
      return answer_of_entries(entries);
    }
    case Kind::kScan: {
      const NodeId node = TRY(find(operation.path));
      if (!state_.at(node).is_directory()) return Code::kNotDirectory;
      scans_[index].emplace();
      scans_[index]->directory = node;
      scans_[index]->stays = state_.at(node).entries;
      return std::string();
    }
    default:
      // The names that a kScanOn gives are judged by scanned().
      return std::string();
  }
}

void Model::update_scans() {
  for (auto& scan : scans_) {
    if (!scan) continue;
    const auto& entries = state_.at(scan->directory).entries;
    std::erase_if(scan->stays, [&](const auto& entry) {
      const auto found = entries.find(entry.first);
      return found == entries.end() || found->second != entry.second;
    });
    for (const auto& [name, node] : entries) scan->ever[name] = true;
  }
}

std::string Model::scanned(size_t slot, const std::vector<std::string>& names, bool at_end) {
  std::optional<Scan>& scan = scans_[slot % kSlots];
  const NodeId directory = scan->directory;
  touch_atime(directory);
  scan->seen.insert(scan->seen.end(), names.begin(), names.end());
  std::string wrong;
  for (const std::string& name : names) {
    if (!scan->ever.contains(name)) wrong += "saw '" + name + "', which never was there; ";
  }
  if (!at_end) return wrong;
  for (const auto& [name, node] : scan->stays) {
    const auto times = std::count(scan->seen.begin(), scan->seen.end(), name);
    if (times != 1) wrong += fmt::format("saw '{}', which stayed, {} times; ", name, times);
  }
  scan.reset();
  drop_if_unused(directory);
  return wrong;
}

}  // namespace nacre::model
