#include "os/sim_namespace.h"

#include <limits.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace nacre::os {
namespace {

// Beyond this the oldest changes become durable by themselves, as a full kernel journal commits.
constexpr size_t kJournalMax = 4096;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (name == "..") {
      if (!names.empty()) names.pop_back();
    } else if (!name.empty() && name != ".") {
      names.emplace_back(name);
    }
  }
  return names;
}

// True if `path` is below `directory`.
bool is_below(const std::string& path, const std::string& directory) {
  const std::vector<std::string> inner = split(path);
  const std::vector<std::string> outer = split(directory);
  return inner.size() > outer.size() && std::equal(outer.begin(), outer.end(), inner.begin());
}

}  // namespace

Result<SimNodeRef> SimNamespace::find(const std::string& path) const {
  SimNodeRef node = root_;
  for (const std::string& name : split(path)) {
    if (!node->is_directory) return Error(Code::kNotDirectory, path);
    if (name.size() > NAME_MAX) return Error(Code::kNameTooLong, path);
    const auto entry = node->entries.find(name);
    if (entry == node->entries.end()) return Error(Code::kNotFound, path);
    node = entry->second;
  }
  return node;
}

Result<SimNamespace::Place> SimNamespace::locate(const std::string& path) const {
  std::vector<std::string> names = split(path);
  if (names.empty()) return Error(Code::kBusy, path + ": the root");
  Place place{root_, std::move(names.back()), nullptr};
  names.pop_back();
  for (const std::string& name : names) {
    const auto entry = place.directory->entries.find(name);
    if (entry == place.directory->entries.end()) return Error(Code::kNotFound, path);
    place.directory = entry->second;
    if (!place.directory->is_directory) return Error(Code::kNotDirectory, path);
  }
  if (place.name.size() > NAME_MAX) return Error(Code::kNameTooLong, path);
  const auto entry = place.directory->entries.find(place.name);
  if (entry != place.directory->entries.end()) place.node = entry->second;
  return place;
}

Result<SimNamespace::Place> SimNamespace::locate_existing(const std::string& path) const {
  Place place = TRY(locate(path));
  if (!place.node) return Error(Code::kNotFound, path);
  return place;
}

Result<SimNodeRef> SimNamespace::create(const std::string& path, bool directory) {
  Place place = TRY(locate(path));
  if (place.node) return Error(Code::kExists, path);
  const auto node = std::make_shared<SimNode>(directory);
  apply({{place.directory, place.name, node}});
  return node;
}

Result<SimNodeRef> SimNamespace::remove_file(const std::string& path) {
  Place place = TRY(locate_existing(path));
  if (place.node->is_directory) return Error(Code::kIsDirectory, path);
  apply({{place.directory, place.name, nullptr}});
  return place.node;
}

Status SimNamespace::remove_directory(const std::string& path) {
  Place place = TRY(locate_existing(path));
  if (!place.node->is_directory) return Error(Code::kNotDirectory, path);
  if (!place.node->entries.empty()) return Error(Code::kNotEmpty, path);
  apply({{place.directory, place.name, nullptr}});
  return {};
}

Result<SimNodeRef> SimNamespace::rename(const std::string& from, const std::string& to) {
  const Place source = TRY(locate_existing(from));
  const Place target = TRY(locate(to));
  if (source.node == target.node) return SimNodeRef();
  if (source.node->is_directory && is_below(to, from)) {
    return Error(Code::kInvalid, to + ": is below " + from);
  }
  if (target.node) {
    if (target.node->is_directory && !source.node->is_directory) {
      return Error(Code::kIsDirectory, to);
    }
    if (!target.node->is_directory && source.node->is_directory) {
      return Error(Code::kNotDirectory, to);
    }
    if (!target.node->entries.empty()) return Error(Code::kNotEmpty, to);
  }
  apply({{source.directory, source.name, nullptr}, {target.directory, target.name, source.node}});
  const bool replaced_file = target.node && !target.node->is_directory;
  return replaced_file ? target.node : SimNodeRef();
}

Status SimNamespace::link(const std::string& from, const std::string& to) {
  const Place source = TRY(locate_existing(from));
  const Place target = TRY(locate(to));
  if (source.node->is_directory) return Error(Code::kNotPermitted, from + ": is a directory");
  if (target.node) return Error(Code::kExists, to);
  apply({{target.directory, target.name, source.node}});
  return {};
}

Status SimNamespace::sync_directory(const std::string& path) {
  const SimNodeRef directory = TRY(find(path));
  if (!directory->is_directory) return Error(Code::kNotDirectory, path);
  const auto touches = [&](const Change& change) {
    return std::ranges::any_of(change,
                               [&](const Edit& edit) { return edit.directory == directory; });
  };
  const auto last = std::find_if(journal_.rbegin(), journal_.rend(), touches);
  make_durable(static_cast<size_t>(journal_.rend() - last));
  return {};
}

void SimNamespace::apply(Change change) {
  for (const Edit& edit : change) {
    auto& entries = edit.directory->entries;
    const auto old = entries.find(edit.name);
    if (old != entries.end()) {
      --old->second->links;
      entries.erase(old);
    }
    if (edit.target) {
      ++edit.target->links;
      entries.emplace(edit.name, edit.target);
    }
  }
  journal_.push_back(std::move(change));
  if (journal_.size() > kJournalMax) make_durable(1);
}

void SimNamespace::make_durable(size_t changes) {
  for (; changes > 0; --changes) {
    for (const Edit& edit : journal_.front()) {
      if (edit.target) {
        edit.directory->durable_entries[edit.name] = edit.target;
      } else {
        edit.directory->durable_entries.erase(edit.name);
      }
    }
    journal_.pop_front();
  }
}

void SimNamespace::crash(Random& random, const std::function<void(SimNode&)>& restore) {
  // All, none and something between are each likely, however long the journal.
  const uint64_t choice = random.next() % 4;
  const size_t survivors = choice == 0   ? 0
                           : choice == 1 ? journal_.size()
                                         : random.next() % (journal_.size() + 1);
  make_durable(survivors);
  journal_.clear();

  std::set<const SimNode*> restored;
  const std::function<void(SimNode&)> descend = [&](SimNode& directory) {
    directory.entries = directory.durable_entries;
    for (const auto& [name, node] : directory.entries) {
      if (!restored.insert(node.get()).second) {
        ++node->links;
        continue;
      }
      node->links = 1;
      node->handles = 0;
      if (node->is_directory) {
        descend(*node);
      } else {
        restore(*node);
      }
    }
  };
  descend(*root_);
}

}  // namespace nacre::os
