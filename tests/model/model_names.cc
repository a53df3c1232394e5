// Names come, go and move.
#include "model/model.h"

namespace nacre::model {

namespace {

constexpr uint32_t kSetgid = 02000;

}  // namespace

Status Model::check_parent(const Place& place) const {
  const Node& directory = state_.at(place.parent);
  if (!directory.is_directory()) return Code::kNotDirectory;
  if (directory.nlink == 0) return Code::kNotFound;
  return {};
}

void Model::touch(NodeId directory) {
  Node& node = state_.change(directory);
  node.mtime = node.ctime = now_;
}

Status Model::make(const Operation& operation, Node node) {
  const Place place = TRY(resolve(operation.path));
  if (place.past) return Code::kReadOnly;
  if (place.too_long) return Code::kNameTooLong;
  TRY(check_parent(place));
  if (place.node) return Code::kExists;
  const Node& directory = state_.at(place.parent);
  if (directory.mode & kSetgid) {
    node.gid = directory.gid;
    if (node.is_directory()) node.mode |= kSetgid;
  }
  node.nlink = node.is_directory() ? 2 : 1;
  node.parent = place.parent;
  node.atime = node.mtime = node.ctime = now_;
  const bool is_directory = node.is_directory();
  const NodeId made = state_.add(std::move(node));
  touch(place.parent);
  Node& parent = state_.change(place.parent);
  parent.entries[place.name] = made;
  if (is_directory) ++parent.nlink;
  return {};
}

Status Model::link(const Operation& operation) {
  const Place from = TRY(resolve(operation.path));
  if (from.too_long) return Code::kNameTooLong;
  if (!from.node) return Code::kNotFound;
  const Place to = TRY(resolve(operation.to));
  if (to.past) return Code::kReadOnly;
  if (from.past) return Code::kCrossDevice;
  if (to.too_long) return Code::kNameTooLong;
  TRY(check_parent(to));
  const Node& node = state_.at(*from.node);
  if (rules_.kernel && to.node) return Code::kExists;
  if (node.is_directory()) return Code::kNotPermitted;
  if (node.nlink == 0) return Code::kNotFound;
  if (to.node) return Code::kExists;
  Node& linked = state_.change(*from.node);
  ++linked.nlink;
  linked.ctime = now_;
  touch(to.parent);
  state_.change(to.parent).entries[to.name] = *from.node;
  return {};
}

// One name of a node is gone already; with the last one, the node goes when nobody holds it.
void Model::drop_link(NodeId id) {
  Node& node = state_.change(id);
  node.nlink = node.is_directory() ? 0 : node.nlink - 1;
  node.ctime = now_;
  drop_if_unused(id);
}

Status Model::remove(const Operation& operation) {
  const Place place = TRY(resolve(operation.path));
  if (place.past) return Code::kReadOnly;
  TRY(check_parent(place));
  if (place.too_long) return Code::kNameTooLong;
  if (!place.node) return Code::kNotFound;
  const Node& node = state_.at(*place.node);
  const bool is_directory = node.is_directory();
  if (operation.kind == Kind::kUnlink && is_directory) return Code::kIsDirectory;
  if (operation.kind == Kind::kRmdir && !is_directory) return Code::kNotDirectory;
  if (!node.entries.empty()) return Code::kNotEmpty;
  touch(place.parent);
  Node& parent = state_.change(place.parent);
  parent.entries.erase(place.name);
  if (is_directory) --parent.nlink;
  drop_link(*place.node);
  return {};
}

bool Model::is_below(NodeId node, NodeId ancestor) const {
  for (; node != ancestor; node = state_.at(node).parent) {
    if (node == kRoot) return false;
  }
  return true;
}

Status Model::check_rename(const Operation& operation, const Place& from, const Place& to) const {
  const bool exchange = operation.kind == Kind::kExchange;
  // The kernel looks for what is to be moved before it asks for the other name.
  if (from.too_long || (!rules_.kernel && to.too_long)) return Code::kNameTooLong;
  TRY(check_parent(from));
  TRY(check_parent(to));
  if (!from.node) return Code::kNotFound;
  if (to.too_long) return Code::kNameTooLong;
  if (exchange && !to.node) return Code::kNotFound;
  if (operation.kind == Kind::kRenameNew && to.node) return Code::kExists;
  if (to.node && *to.node == *from.node) return {};
  const Node& moved = state_.at(*from.node);
  if (moved.is_directory() && is_below(to.parent, *from.node)) return Code::kLoop;
  if (!to.node) return {};
  const Node& other = state_.at(*to.node);
  if (exchange) {
    if (other.is_directory() && is_below(from.parent, *to.node)) return Code::kLoop;
    return {};
  }
  if (rules_.kernel && other.is_directory() && is_below(from.parent, *to.node)) {
    return Code::kNotEmpty;
  }
  if (moved.is_directory() && !other.is_directory()) return Code::kNotDirectory;
  if (!moved.is_directory() && other.is_directory()) return Code::kIsDirectory;
  if (!other.entries.empty()) return Code::kNotEmpty;
  return {};
}

Status Model::rename(const Operation& operation) {
  const Place from = TRY(resolve(operation.path));
  const Place to = TRY(resolve(operation.to));
  if (from.past || to.past) return Code::kReadOnly;
  TRY(check_rename(operation, from, to));
  if (to.node && *to.node == *from.node) return {};  // two names of one file: nothing happens

  // Where a directory moves, its parents' link counts follow.
  const auto put = [&](NodeId parent, const std::string& name, NodeId id) {
    Node& directory = state_.change(parent);
    directory.entries[name] = id;
    Node& node = state_.change(id);
    node.ctime = now_;
    if (!node.is_directory()) return;
    node.parent = parent;
    ++state_.change(parent).nlink;
  };
  const auto take = [&](NodeId parent, const std::string& name) {
    Node& directory = state_.change(parent);
    if (state_.at(directory.entries.at(name)).is_directory()) --directory.nlink;
    directory.entries.erase(name);
  };
  take(from.parent, from.name);
  if (to.node) take(to.parent, to.name);
  put(to.parent, to.name, *from.node);
  if (operation.kind == Kind::kExchange) put(from.parent, from.name, *to.node);
  touch(from.parent);
  touch(to.parent);
  if (to.node && operation.kind != Kind::kExchange) drop_link(*to.node);
  return {};
}

Result<std::string> Model::run_names(const Operation& operation) {
  Node node;
  node.mode = static_cast<uint32_t>(operation.value) & 07777 & ~kUmask;
  switch (operation.kind) {
    case Kind::kCreate:
      TRY(make(operation, std::move(node)));
      break;
    case Kind::kMkdir:
      node.type = meta::FileType::kDirectory;
      TRY(make(operation, std::move(node)));
      break;
    case Kind::kSymlink:
      node.type = meta::FileType::kSymlink;
      node.mode = 0777;
      node.target = operation.to;
      TRY(make(operation, std::move(node)));
      break;
    case Kind::kMknod:
      node.type = static_cast<meta::FileType>(operation.extra);
      if (operation.extra >= 6) node.rdev = 259;
      TRY(make(operation, std::move(node)));
      break;
    case Kind::kLink:
      TRY(link(operation));
      break;
    case Kind::kUnlink:
    case Kind::kRmdir:
      TRY(remove(operation));
      break;
    default:
      TRY(rename(operation));
  }
  return std::string();
}

}  // namespace nacre::model
