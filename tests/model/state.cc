#include "model/state.h"

#include <fmt/format.h>

#include "codec/checksum.h"

namespace nacre::model {

namespace {

constexpr size_t kMaxDifferences = 8;
// Times that were set on purpose lie before this: those can be compared on any tree.
constexpr int64_t kFirstRealTimeNs = 1'200'000'000'000'000'000;

char letter_of(meta::FileType type) {
  switch (type) {
    case meta::FileType::kRegular:
      return 'f';
    case meta::FileType::kDirectory:
      return 'd';
    case meta::FileType::kSymlink:
      return 'l';
    case meta::FileType::kFifo:
      return 'p';
    case meta::FileType::kSocket:
      return 's';
    case meta::FileType::kCharDevice:
      return 'c';
    case meta::FileType::kBlockDevice:
      return 'b';
  }
  return '?';
}

std::string time_text(Timestamp time, bool all) {
  return all || time.ns < kFirstRealTimeNs ? std::to_string(time.ns) : "*";
}

void dump_directory(const State& state, NodeId id, const std::string& path, const Aspects& aspects,
                    std::map<NodeId, std::string>& first_paths, Dump& dump) {
  for (const auto& [name, child] : state.at(id).entries) {
    const std::string child_path = path + "/" + name;
    const Node& node = state.at(child);
    const auto [first, is_new] = first_paths.try_emplace(child, child_path);
    dump[child_path] = is_new ? line_of(node, aspects) : "same as " + first->second;
    if (node.is_directory()) {
      dump_directory(state, child, child_path, aspects, first_paths, dump);
    }
  }
}

}  // namespace

uint64_t Node::size() const {
  switch (type) {
    case meta::FileType::kRegular:
      return content.size();
    case meta::FileType::kDirectory:
      return entries.size();
    default:
      return target.size();
  }
}

State::State() {
  auto root = std::make_shared<Node>();
  root->type = meta::FileType::kDirectory;
  root->mode = 0755;
  root->nlink = 2;
  root->parent = kRoot;
  nodes_[kRoot] = std::move(root);
}

const Node* State::find(NodeId id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : found->second.get();
}

Node& State::change(NodeId id) {
  std::shared_ptr<Node>& node = nodes_.at(id);
  if (node.use_count() > 1) node = std::make_shared<Node>(*node);
  return *node;
}

NodeId State::add(Node node) {
  nodes_[next_] = std::make_shared<Node>(std::move(node));
  return next_++;
}

void State::drop_orphans() {
  std::erase_if(nodes_, [](const auto& entry) { return entry.second->nlink == 0; });
}

meta::Attr attr_of(const Node& node) {
  meta::Attr attr;
  attr.type = node.type;
  attr.mode = node.mode;
  attr.uid = node.uid;
  attr.gid = node.gid;
  attr.nlink = node.nlink;
  attr.rdev = node.rdev;
  attr.size = node.size();
  attr.allocated_bytes = node.content.allocated_bytes();
  attr.atime = node.atime;
  attr.mtime = node.mtime;
  attr.ctime = node.ctime;
  return attr;
}

std::string describe(const meta::Attr& attr, const Aspects& aspects) {
  std::string text = fmt::format("{} {:04o} {}:{} nlink={}", letter_of(attr.type), attr.mode,
                                 attr.uid, attr.gid, attr.nlink);
  const bool is_device =
      attr.type == meta::FileType::kCharDevice || attr.type == meta::FileType::kBlockDevice;
  if (is_device) text += fmt::format(" rdev={}", attr.rdev);
  if (attr.type != meta::FileType::kDirectory || aspects.directory_sizes) {
    text += fmt::format(" size={}", attr.size);
  }
  if (attr.type == meta::FileType::kRegular && aspects.allocated) {
    text += fmt::format(" allocated={}", attr.allocated_bytes);
  }
  text += " mtime=" + time_text(attr.mtime, aspects.times);
  if (aspects.times) text += fmt::format(" ctime={}", attr.ctime.ns);
  if (aspects.atime) text += " atime=" + time_text(attr.atime, aspects.times);
  return text;
}

std::string describe(const std::vector<std::pair<uint64_t, uint64_t>>& ranges) {
  std::string text = " data=";
  for (const auto& [begin, end] : ranges) text += fmt::format("{}-{},", begin, end);
  return text;
}

std::string describe(const std::map<std::string, std::string>& xattrs) {
  std::string text;
  for (const auto& [name, value] : xattrs) {
    text += fmt::format(" {}={}:{:08x}", name, value.size(),
                        codec::xxh64(as_bytes(value)) & 0xFFFFFFFFu);
  }
  return text;
}

std::string line_of(const Node& node, const Aspects& aspects) {
  std::string line = describe(attr_of(node), aspects);
  if (node.type == meta::FileType::kSymlink) line += " -> " + node.target;
  if (node.is_regular()) {
    line += fmt::format(" digest={:016x}", node.content.digest());
    if (aspects.ranges) line += describe(node.content.ranges());
  }
  return line + describe(node.xattrs);
}

Dump dump_of(const State& state, const Aspects& aspects) {
  Dump dump;
  std::map<NodeId, std::string> first_paths;
  dump["/"] = line_of(state.at(kRoot), aspects);
  dump_directory(state, kRoot, "", aspects, first_paths, dump);
  return dump;
}

std::string difference(const Dump& expected, const Dump& actual) {
  std::string text;
  size_t count = 0;
  const auto note = [&](const std::string& path, const std::string& one, const std::string& other) {
    if (++count > kMaxDifferences) return;
    text += fmt::format("  {}\n    expected {}\n    found    {}\n", path, one, other);
  };
  for (const auto& [path, line] : expected) {
    const auto found = actual.find(path);
    const std::string& other = found == actual.end() ? "nothing" : found->second;
    if (other != line) note(path, line, other);
  }
  for (const auto& [path, line] : actual) {
    if (!expected.contains(path)) note(path, "nothing", line);
  }
  if (count > kMaxDifferences) text += fmt::format("  and {} more\n", count - kMaxDifferences);
  return text;
}

}  // namespace nacre::model
