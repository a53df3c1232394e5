#include "model/history_oracle.h"

#include <fmt/format.h>

namespace nacre::model {

namespace {

const Aspects kOfVersions = {
    .times = true, .atime = false, .directory_sizes = true, .ranges = false, .allocated = true};

std::string text_of(const meta::Version& version) {
  return fmt::format("{} [{}, {}) {}{}{}", version.number, version.begin.value,
                     version.end ? std::to_string(version.end->value) : "now",
                     describe(version.attr, kOfVersions), version.content_changed ? " changed" : "",
                     version.deleted ? " deleted" : "");
}

std::string join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "    " + line + "\n";
  return text;
}

NodeId entry_of(const State& state, NodeId directory, const std::string& name) {
  const Node* node = state.find(directory);
  if (node == nullptr) return 0;
  const auto found = node->entries.find(name);
  return found == node->entries.end() ? 0 : found->second;
}

}  // namespace

HistoryOracle::HistoryOracle(const std::map<uint64_t, State>& commits,
                             const std::map<NodeId, InodeId>& numbers)
    : commits_(commits), numbers_(numbers) {
  const State* before = nullptr;
  for (const auto& [sequence, state] : commits_) {
    std::vector<std::string> names;
    collect_paths(state, kRoot, names);
    if (before != nullptr) {
      for (const auto& [id, node] : before->nodes()) {
        for (const auto& [name, child] : node->entries) {
          if (entry_of(state, id, name) != child) lost_[id][name].push_back({child, sequence});
        }
      }
    }
    before = &state;
    last_ = sequence;
  }
}

void HistoryOracle::collect_paths(const State& state, NodeId directory,
                                  std::vector<std::string>& names) {
  for (const auto& [name, child] : state.at(directory).entries) {
    names.push_back(name);
    paths_[names] = true;
    if (state.at(child).is_directory()) collect_paths(state, child, names);
    names.pop_back();
  }
}

std::string HistoryOracle::check(kv::Store& rows, const meta::NameKey& name_key) const {
  for (const auto& [node, ino] : numbers_) {
    if (std::string wrong = check_versions(rows, node); !wrong.empty()) return wrong;
    if (std::string wrong = check_deleted(rows, name_key, node); !wrong.empty()) return wrong;
  }
  for (const auto& [names, ever] : paths_) {
    if (std::string wrong = check_path(rows, name_key, names); !wrong.empty()) return wrong;
  }
  return {};
}

std::vector<std::string> HistoryOracle::versions_of(NodeId id) const {
  std::vector<meta::Version> versions;
  std::string last_line;
  uint64_t last_change = 0;
  for (const auto& [sequence, state] : commits_) {
    const Node* node = state.find(id);
    std::string line;
    if (node != nullptr) {
      line = describe(attr_of(*node), kOfVersions) + std::to_string(node->content_change);
    }
    if (line == last_line) continue;
    if (!last_line.empty()) versions.back().end = Sequence{sequence};
    last_line = line;
    if (node == nullptr) continue;
    meta::Version version;
    version.begin = Sequence{sequence};
    version.attr = attr_of(*node);
    version.content_changed = versions.empty() || node->content_change != last_change;
    version.number = versions.size() + 1;
    last_change = node->content_change;
    versions.push_back(version);
  }
  // Without a name nobody could open it.
  bool gone = !versions.empty() && versions.back().end.has_value();
  while (!versions.empty() && versions.back().attr.nlink == 0) {
    versions.pop_back();
    gone = true;
  }
  std::vector<std::string> lines;
  for (meta::Version& version : versions) {
    version.deleted = gone && &version == &versions.back();
    lines.push_back(text_of(version));
  }
  return lines;
}

std::string HistoryOracle::check_versions(kv::Store& rows, NodeId node) const {
  const std::vector<std::string> expected = versions_of(node);
  const InodeId ino = numbers_.at(node);
  const auto found = meta::versions_of(rows, ino);
  std::vector<std::string> lines;
  if (found.ok()) {
    for (const meta::Version& version : *found) lines.push_back(text_of(version));
  } else if (found.code() != Code::kNotFound) {
    lines.push_back(found.error().to_string());
  }
  if (lines == expected) return {};
  return fmt::format("versions of inode {}:\n  expected\n{}  found\n{}", ino.value, join(expected),
                     join(lines));
}

std::string HistoryOracle::number(NodeId node) const {
  const auto found = numbers_.find(node);
  return found == numbers_.end() ? "?" : std::to_string(found->second.value);
}

std::string HistoryOracle::check_deleted(kv::Store& rows, const meta::NameKey& key,
                                         NodeId directory) const {
  std::vector<std::string> expected;
  if (const auto names = lost_.find(directory); names != lost_.end()) {
    for (const auto& [name, losses] : names->second) {
      if (entry_of(commits_.at(last_), directory, name) != 0) continue;
      expected.push_back(
          fmt::format("{} {} until {}", name, number(losses.back().node), losses.back().end));
    }
  }
  std::vector<std::string> lines;
  const auto found = meta::deleted_names(rows, key, numbers_.at(directory));
  if (!found.ok()) return "deleted names: " + found.error().to_string();
  for (const meta::PastName& past : *found) {
    lines.push_back(fmt::format("{} {} until {}", past.name, past.ino.value, past.end.value));
  }
  // A node that was gone before anybody asked for its number.
  for (size_t i = 0; i < expected.size() && i < lines.size(); ++i) {
    if (expected[i].find(" ? ") == std::string::npos) continue;
    expected[i] = lines[i];
  }
  if (lines == expected) return {};
  return fmt::format("deleted names of inode {}:\n  expected\n{}  found\n{}",
                     numbers_.at(directory).value, join(expected), join(lines));
}

// The last commit in which the path leads somewhere.
std::string HistoryOracle::path_answer(const std::vector<std::string>& names) const {
  for (auto commit = commits_.rbegin(); commit != commits_.rend(); ++commit) {
    NodeId at = kRoot;
    for (const std::string& name : names) at = entry_of(commit->second, at, name);
    if (at == 0) continue;
    if (commit->first == last_) return number(at);
    return fmt::format("{} until {}", number(at), commit->first + 1);
  }
  return "not found";
}

std::string HistoryOracle::check_path(kv::Store& rows, const meta::NameKey& key,
                                      const std::vector<std::string>& names) const {
  const std::string expected = path_answer(names);
  if (expected.starts_with("?")) return {};
  const auto found = meta::find_ever(rows, key, names);
  std::string actual = "not found";
  if (found.ok()) {
    actual = std::to_string(found->ino.value);
    if (found->end) actual += fmt::format(" until {}", found->end->value);
  } else if (found.code() != Code::kNotFound && found.code() != Code::kNotDirectory) {
    actual = found.error().to_string();
  }
  if (actual == expected) return {};
  std::string path;
  for (const std::string& name : names) path += "/" + name;
  return fmt::format("the inode that was {}: expected {}, found {}", path, expected, actual);
}

}  // namespace nacre::model
